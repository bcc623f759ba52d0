"""The wire and the contract of Careline; knows no policy.

``from streams import Publisher, Subscriber, events`` is what other services need.
"""

from streams import events
from streams.config import Settings
from streams.publisher import Publisher
from streams.subscriber import Message, Subscriber

__all__ = ["Message", "Publisher", "Settings", "Subscriber", "events"]
