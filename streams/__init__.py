"""The contract of Careline and everything that reads and writes it; it knows no policy.

Other services need only ``from streams import Publisher, Subscriber, events``. Their tests need no server: with
``Settings(kafka_bootstrap="memory://tests", registry_url="memory://tests")`` and ``await set_up(settings)``, broker and
registry are in memory.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams import events
    from streams.broker.provision import set_up
    from streams.config import Settings
    from streams.publishing.publisher import Publisher
    from streams.subscribing.subscriber import Message, Subscriber

__all__ = ["Message", "Publisher", "Settings", "Subscriber", "events", "set_up"]

_WHERE = {
    "Message": "streams.subscribing.subscriber",
    "Publisher": "streams.publishing.publisher",
    "Settings": "streams.config",
    "Subscriber": "streams.subscribing.subscriber",
    "set_up": "streams.broker.provision",
}


def __getattr__(name: str) -> Any:
    """Imports a part on first use, so that a caller who needs only ``events`` does not load the Kafka client."""
    if name == "events":
        return importlib.import_module("streams.events")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
