"""What it means when Kafka's client fails: the brokers do not answer, or they answer with an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import BrokerResponseError, KafkaError

from streams.config import Settings
from streams.errors import Unavailable


def kafka_unavailable(settings: Settings, error: Exception) -> Unavailable:
    """The error in words for an operator, with the brokers' addresses."""
    address = settings.kafka_bootstrap
    if isinstance(error, BrokerResponseError):
        return Unavailable.says("Kafka", address, error)
    return Unavailable.of("Kafka", address, error)


@contextmanager
def kafka_answers(settings: Settings) -> Iterator[None]:
    """For calls to the brokers. Raises Unavailable for what their client raises, and for a call that took too long."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise kafka_unavailable(settings, error) from error
