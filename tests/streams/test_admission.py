"""All readers admit the same records, and say the same of the ones that they do not take."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from processors.measure.app import MeasureApp
from processors.measure.metrics import MEASURE_SKIPPED
from processors.playbook import load_playbook
from processors.replay.fold import Touchpoints
from processors.roles import wiring
from processors.roles.journeys import JourneyLogic
from processors.settings import Settings
from processors.view.metrics import VIEW_SKIPPED
from processors.view.store import InMemoryViewStore
from streams.errors import Unreadable
from streams.events import (
    FeedbackGiven,
    FeedbackKind,
    OutreachChannel,
    OutreachSent,
    ProfilesMerged,
    Touchpoint,
)
from streams.publishing.writers import Writers
from streams.subscribing.admission import Admission
from streams.topics import Topics
from tests.streams.given import prepared, record

TOPICS = Topics()
NOON = datetime(2026, 2, 9, 12, tzinfo=UTC)
SETTINGS = Settings(writers='{"ProfilesMerged": ["urn:acme:crm"]}')


def score(**other: Any) -> FeedbackGiven:
    """An answer that every reader takes, but for what is said otherwise."""
    facts = {"event_id": str(uuid.uuid4()), "customer_id": "ana", "occurred_at": NOON, "source": "shop"}
    return FeedbackGiven(**facts | {"feedback_id": "f", "kind": FeedbackKind.CSAT, "score": 4} | other)


def sent(source: str) -> OutreachSent:
    """An outcome, from that source."""
    return OutreachSent(
        event_id=str(uuid.uuid4()), customer_id="ana", occurred_at=NOON, source=source,
        outreach_id="o", channel=OutreachChannel.EMAIL, provider="smtp",
    )  # fmt: skip


def merged(source: str) -> ProfilesMerged:
    """What staff write, from that source."""
    return ProfilesMerged(
        event_id=str(uuid.uuid4()), customer_id="ana", occurred_at=NOON, source=source, other_customer_id="bo"
    )


NOT_TAKEN: dict[str, tuple[Touchpoint, str]] = {
    "no customer": (score(customer_id=" "), "invalid_customer_id"),
    "a long id": (score(customer_id="x" * 257), "invalid_customer_id"),
    "no event id": (score(event_id=""), "invalid_event_id"),
    "of 1970": (score(occurred_at=NOON.replace(year=1970)), "invalid_occurred_at"),
    "of the day after tomorrow": (score(occurred_at=NOON + timedelta(days=2)), "invalid_occurred_at"),
    "off its scale": (score(score=11), "invalid_score"),
    "an outcome of a stranger's": (sent("shop"), "not_allowed"),
    "a merge of a stranger's": (merged("shop"), "not_allowed"),
}

Reads = Callable[[Touchpoint], Awaitable[str | None]]
"""Why a reader does not take a record; None where it does."""


async def journeys(event: Touchpoint) -> str | None:
    logic = JourneyLogic(topics=TOPICS, playbook=load_playbook(), writers=SETTINGS.allowed_writers)
    return _reason(lambda: logic.admit(event, NOON))


async def replay(event: Touchpoint) -> str | None:
    return _reason(lambda: Touchpoints(TOPICS, writers=SETTINGS.allowed_writers).admit(event, NOON))


async def view(event: Touchpoint) -> str | None:
    codec, registry = await prepared()
    store = InMemoryViewStore()
    role = wiring.view(SETTINGS, store=store, registry=registry)
    await role._codec.prepare(*TOPICS.all())
    raw = record(codec.encode(TOPICS.touchpoints, event), topic=TOPICS.full_name(TOPICS.touchpoints))
    before = _counted(VIEW_SKIPPED)
    await role._taken(await store.begin(), [raw])
    return _more(VIEW_SKIPPED, before)


async def measure(event: Touchpoint) -> str | None:
    codec, _ = await prepared()
    app = MeasureApp(SETTINGS, codec=codec, directory=Path())
    message = SimpleNamespace(
        topic=TOPICS.full_name(TOPICS.touchpoints), partition=0, offset=0,
        value=codec.encode(TOPICS.touchpoints, event), timestamp=NOON.timestamp(),
    )  # fmt: skip

    class Stream:
        def noack(self) -> Any:
            return self

        async def events(self) -> AsyncIterator[Any]:
            yield SimpleNamespace(message=message, ack=lambda: None)

    before = _counted(MEASURE_SKIPPED)
    await app._each(Stream(), lambda _: None)
    return _more(MEASURE_SKIPPED, before)


def _reason(admit: Callable[[], None]) -> str | None:
    try:
        admit()
    except Unreadable as why:
        return why.reason
    return None


def _counted(counter: Any) -> dict[str, float]:
    [family] = counter.collect()
    return {one.labels["reason"]: one.value for one in family.samples if one.name.endswith("_total")}


def _more(counter: Any, before: dict[str, float]) -> str | None:
    more = [reason for reason, value in _counted(counter).items() if value > before.get(reason, 0)]
    assert len(more) <= 1
    return more[0] if more else None


READERS: dict[str, Reads] = {"journeys": journeys, "replay": replay, "view": view, "measure": measure}


@pytest.mark.parametrize("reads", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("event", "reason"), NOT_TAKEN.values(), ids=NOT_TAKEN)
async def test_every_reader_leaves_out_the_same_for_the_same_reason(
    reads: Reads, event: Touchpoint, reason: str
) -> None:
    """The dead letter's reason is what the view and the measurements count the record under."""
    assert await reads(event) == reason


@pytest.mark.parametrize("reads", READERS.values(), ids=READERS)
@pytest.mark.parametrize("event", [score(), sent("careline/outreach"), merged("urn:acme:crm")], ids=type)
async def test_every_reader_takes_what_follows_the_contract(reads: Reads, event: Touchpoint) -> None:
    """Nobody's touchpoints are lost on the way to one of the readers."""
    assert await reads(event) is None


def test_outcomes_are_checked_on_their_own_topic() -> None:
    """A stranger's outcome counts nowhere; what our roles write there is not held to the times of touchpoints."""
    admission = Admission(TOPICS, writers=Writers({}))
    with pytest.raises(Unreadable, match="may not write OutreachSent"):
        admission.check(sent("shop"), TOPICS.outcomes, now=NOON)
    admission.check(sent("careline/outreach"), TOPICS.outcomes, now=NOON - timedelta(days=9))
