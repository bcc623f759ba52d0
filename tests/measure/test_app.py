"""The measurements go on: a record or a row that makes them fail costs itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from processors.measure import metrics
from processors.measure.app import MeasureApp, _answer, _letter
from processors.measure.figures import figures
from streams import events
from streams.config import Settings
from streams.errors import Unavailable
from streams.topics import Topics
from tests.streams.given import prepared

TOPICS = Topics()
NAME = TOPICS.full_name(TOPICS.touchpoints)
NOON = datetime(2026, 2, 9, 12, tzinfo=UTC)


class Stream:
    """A stream of Faust's with these records, and what of it was acknowledged."""

    def __init__(self, values: list[bytes], *, timestamp: float | None = None) -> None:
        self.values, self.timestamp = values, NOON.timestamp() if timestamp is None else timestamp
        self.acknowledged: list[int] = []

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Any]:
        for offset, value in enumerate(self.values):
            message = SimpleNamespace(topic=NAME, partition=0, offset=offset, value=value, timestamp=self.timestamp)
            yield SimpleNamespace(message=message, ack=lambda at=offset: self.acknowledged.append(at))


def score(customer: str) -> events.FeedbackGiven:
    return events.FeedbackGiven(
        event_id="3f0c4d4e-6b1c-4b57-9f0e-0d3a1a5f7c11", customer_id=customer, occurred_at=NOON, source="shop",
        feedback_id=customer, kind=events.FeedbackKind.CSAT, score=4,
    )  # fmt: skip


@pytest.fixture
async def app(tmp_path: Path) -> MeasureApp:
    codec, _ = await prepared()
    return MeasureApp(Settings(), codec=codec, directory=tmp_path)


def stream_of(app: MeasureApp, *customers: str, **more: Any) -> Stream:
    return Stream([app._codec.encode(TOPICS.touchpoints, score(one)) for one in customers], **more)


def skipped() -> float:
    return metrics.MEASURE_SKIPPED.labels(topic=NAME, reason="unprocessable")._value.get()


@pytest.mark.parametrize(
    "error", [OverflowError("out of range"), KeyError("row"), UnicodeEncodeError("utf-8", "x", 0, 1, "no")],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
async def test_a_record_that_cannot_be_measured_costs_itself(app: MeasureApp, error: Exception) -> None:
    """The ones after it are measured, and it is acknowledged and counted."""
    taken = []

    def take(record: Any) -> None:
        if record.customer_id == "bad":
            raise error
        taken.append(record.customer_id)

    before, stream = skipped(), stream_of(app, "a", "bad", "b")
    await app._each(stream, take)
    assert taken == ["a", "b"]
    assert stream.acknowledged == [0, 1, 2]
    assert skipped() == before + 1


async def test_a_time_that_no_calendar_has(app: MeasureApp) -> None:
    """A record that Kafka dates to the year 290,000 is taken as one of the calendar's end."""
    taken: list[str] = []
    before, stream = skipped(), stream_of(app, "a", timestamp=float(1 << 53))
    await app._each(stream, lambda record: taken.append(record.customer_id))
    assert (taken, stream.acknowledged) == (["a"], [0])
    assert skipped() == before


async def test_what_kafka_does_is_no_bad_record(app: MeasureApp) -> None:
    """It is not acknowledged, so that the role begins again at it."""

    def take(record: Any) -> None:
        raise KafkaConnectionError("away")

    before, stream = skipped(), stream_of(app, "a", "b")
    with pytest.raises(KafkaConnectionError):
        await app._each(stream, take)
    assert stream.acknowledged == []
    assert skipped() == before


async def test_a_registry_that_is_away_is_waited_for(app: MeasureApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """No record is skipped for it."""
    real, tries = app._codec.decode, []

    async def decode(value: bytes | None, **named: Any) -> Any:
        tries.append(value)
        if len(tries) < 3:
            raise Unavailable("away")
        return await real(value, **named)

    monkeypatch.setattr(app._codec, "decode", decode)
    taken: list[Any] = []
    await app._each(stream_of(app, "a"), taken.append)
    assert len(taken) == 1


def test_a_row_that_is_none_is_left_out_of_the_figures(app: MeasureApp) -> None:
    """What another version or a stranger wrote into a table does not end the figures of everybody else."""
    good = {"customer": "c", "score": 4, "at": 0}
    rows = {("a", 0): good, ("b", 0): None, ("c", 0): {"at": 0}, ("d", 0): {**good, "at": "never"},
            ("e", 0): {**good, "score": "many"}, ("f", 0): "text"}  # fmt: skip

    class Table(dict[Any, Any]):
        name = "answers"

    assert [one.answer_id for one in app._readable(Table(rows), _answer)] == ["a"]
    assert {one.outreach_id for one in app._readable(Table(rows), _letter)} == {"a", "e"}


class Rows(dict[Any, Any]):
    """A windowed table that has one window."""

    def relative_to(self, at: float) -> Rows:
        return self


def test_answers_that_share_an_id_are_each_counted(app: MeasureApp) -> None:
    """Two customers of one survey id, and one customer's review of two orders, are four answers; told again, still."""
    rows = app._answers = Rows()
    told = [
        events.replace(score(customer), feedback_id="survey-7", about=about)
        for customer in ("ana", "ben")
        for about in ("order-1", "order-2")
    ]
    for one in (*told, *told[::-1]):
        app._take_touchpoint(one)
    answers = [_answer(key, row) for key, row in rows.items()]
    assert figures(policies={}, letters=(), answers=answers).not_written_to.answers == 4
    assert not any("ana" in key or "survey" in key for key in rows), "of customers only a digest is kept"


async def test_a_score_off_its_scale_is_no_answer(app: MeasureApp) -> None:
    """What was published before scores were checked, or past the publisher, changes no mean."""
    taken: list[Any] = []
    off = app._codec.encode(TOPICS.touchpoints, events.replace(score("a"), score=11))
    stream = Stream([off, app._codec.encode(TOPICS.touchpoints, score("b"))])
    before = metrics.MEASURE_SKIPPED.labels(topic=NAME, reason="invalid_score")._value.get()
    await app._each(stream, taken.append)
    assert [one.customer_id for one in taken] == ["b"]
    assert stream.acknowledged == [0, 1]
    assert metrics.MEASURE_SKIPPED.labels(topic=NAME, reason="invalid_score")._value.get() == before + 1
