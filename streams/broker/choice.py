"""Which broker the settings mean: Kafka, or one in memory."""

from __future__ import annotations

from streams.broker.contract import Broker
from streams.broker.kafka import KafkaBroker
from streams.broker.memory import MemoryBroker
from streams.config import Settings


def broker_of(settings: Settings) -> Broker:
    """The broker at ``settings.kafka_bootstrap``; ``memory://name`` is one in memory, by its name.

    Raises SettingsError where what secures the connection is incomplete.
    """
    name = settings.memory_broker
    return KafkaBroker(settings) if name is None else MemoryBroker.named(name)
