"""What an operator reads when Kafka's client fails."""

from __future__ import annotations

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
)

from streams.broker.answering import kafka_answers
from streams.config import Settings
from streams.errors import InvalidEvent, Unavailable

SETTINGS = Settings(kafka_bootstrap="10.0.0.1:9092,10.0.0.2:9092")
WHERE = "Kafka at 10.0.0.1:9092,10.0.0.2:9092"


@pytest.mark.parametrize(
    "error", [KafkaConnectionError("refused"), NodeNotReadyError(), KafkaTimeoutError(), TimeoutError()]
)
def test_brokers_that_are_away_are_named(error: Exception) -> None:
    """With their addresses, and a reason even where the client gives none."""
    with pytest.raises(Unavailable) as caught, kafka_answers(SETTINGS):
        raise error
    assert str(caught.value) == f"{WHERE} does not answer: {str(error) or type(error).__name__}"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [GroupAuthorizationFailedError("careline.view"), RequestTimedOutError()])
def test_brokers_that_answer_with_an_error_are_not_called_silent(error: Exception) -> None:
    """Nobody looks for a broken network where a permission is missing."""
    with pytest.raises(Unavailable) as caught, kafka_answers(SETTINGS):
        raise error
    assert str(caught.value) == f"{WHERE}: {error}"


def test_what_is_not_the_brokers_affair_is_raised_as_it_is() -> None:
    """A mistake of the caller's is not waited for."""
    with pytest.raises(InvalidEvent), kafka_answers(SETTINGS):
        raise InvalidEvent("customer_id", "is empty")
