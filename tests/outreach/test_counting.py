"""What operators see of letters: how late they left, what providers did not take, and how letters ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from processors.letters.templates import Templates
from processors.outreach.causes import Cause, Causes
from processors.outreach.channels.recording import Planned, RecordingChannel
from processors.outreach.delivery import Delivery
from processors.outreach.errors import Ambiguous, CircuitOpen, NotNow, RateLimited, Refused, TryLater, Unsendable
from processors.outreach.ledger import LedgerLogic
from processors.outreach.results import Deliver, Failed, Result
from streams.clock import to_millis
from streams.events import Address, FailureReason, OutreachChannel, OutreachRequested, QuietHoursInForce
from streams.metrics import REGISTRY
from streams.processor import Effect, Incoming
from tests.outreach.given import NOON, outreach_id, request
from tests.scraped import Growth
from tests.streams.given import TOPICS

EMAIL, SMS = OutreachChannel.EMAIL, OutreachChannel.SMS
MAIL = Address(channel=EMAIL, address="ana@mail.example")
ASKED = request(addresses=(MAIL,))
TRACE = "0af7651916cd43dd8448eb211c80319c"
SECOND = timedelta(seconds=1)
NIGHT_THERE = QuietHoursInForce(begin="22:00", end="07:00", time_zone="Europe/Berlin", channels=(EMAIL, SMS))


async def sent(asked: OutreachRequested, now: datetime, *plan: Any, **options: Any) -> Result:
    """A call at that time comes to what is planned."""
    channel = RecordingChannel(provider="mail")
    channel.plan(*plan)
    delivery = Delivery(channels={EMAIL: channel}, templates=Templates(), clock=lambda: now)
    effect = Effect(key=asked.outreach_id, lane="c", task=Deliver(request=asked, **options))
    result: Result = await delivery.perform(effect)
    return result


class Late:
    """Letters that left within so many seconds, and all."""

    def __init__(self, name: str, le: str) -> None:
        self._in_time = Growth(f"{name}_bucket", channel="EMAIL", le=le)
        self._all = Growth(f"{name}_count", channel="EMAIL")
        self._sum = Growth(f"{name}_sum", channel="EMAIL")

    @property
    def seen(self) -> tuple[float, float, float]:
        """In time, all, and the seconds of all together."""
        return self._in_time.value, self._all.value, round(self._sum.value, 3)


@pytest.mark.parametrize(("seconds", "in_time"), [(0.5, 1), (10, 1), (10.5, 0), (3_000, 0)])
async def test_a_letter_is_late_by_when_it_might_have_left(seconds: float, in_time: int) -> None:
    """The second objective can be read off: ten seconds from when it was due."""
    late = Late("careline_outreach_due_to_sent_seconds", "10.0")
    await sent(ASKED, NOON + timedelta(seconds=seconds))
    assert late.seen == (in_time, 1, seconds)


async def test_quiet_hours_do_not_make_a_letter_late() -> None:
    """Asked for at eleven in the evening, sent four seconds after seven: four seconds."""
    late = Late("careline_outreach_due_to_sent_seconds", "10.0")
    event = Late("careline_outreach_event_to_letter_seconds", "10.0")
    night, morning = NOON + timedelta(hours=10), NOON + timedelta(hours=18)
    held = request(
        addresses=(MAIL,), quiet_hours=NIGHT_THERE, requested_at=night, useful_until=morning + timedelta(hours=3)
    )
    await sent(held, morning + 4 * SECOND, cause=Cause(to_millis(night)))
    assert late.seen == (1, 1, 4)
    assert event.seen == (0, 0, 0), "what was held says nothing of how fast we are"


async def test_what_a_customer_waits_for_us_begins_with_the_publication() -> None:
    """With the trace to look at; a letter of which no touchpoint is known is not counted."""
    event = Late("careline_outreach_event_to_letter_seconds", "0.5")
    await sent(ASKED, NOON + SECOND, cause=Cause(to_millis(NOON + 0.75 * SECOND), TRACE))
    await sent(ASKED, NOON + SECOND)
    assert event.seen == (1, 1, 0.25)
    [exemplar] = {
        sample.exemplar.labels["trace_id"]
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "careline_outreach_event_to_letter_seconds_bucket"
        # other buckets may hold one of a test before
        if sample.exemplar is not None and sample.exemplar.value == 0.25
    }
    assert exemplar == TRACE


async def test_a_call_that_fails_is_no_letter() -> None:
    """Nothing left, so nothing left in time."""
    late = Late("careline_outreach_due_to_sent_seconds", "10.0")
    await sent(ASKED, NOON, TryLater("451"))
    assert late.seen == (0, 0, 0)


async def test_in_event_time_nothing_is_late() -> None:
    """A storm of long ago is played back: what is measured then is no customer's wait."""
    late = Late("careline_outreach_due_to_sent_seconds", "10.0")
    await sent(ASKED, NOON, at=NOON)
    assert late.seen == (0, 0, 0)


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (Refused("550"), "refused"),
        (TryLater("451"), "try_later"),
        (Planned(Ambiguous("?"), arrived=True), "ambiguous"),
        (Planned(RuntimeError("?"), arrived=True), "ambiguous"),
        (RateLimited("10 a second", retry_after=SECOND), "rate_limited"),
        (CircuitOpen("left alone", retry_after=SECOND), "circuit_open"),
        (Unsendable("no message can be made of it"), None),
        (NotNow("taken back"), None),
        (None, None),
    ],
    ids=repr,
)
async def test_what_a_provider_does_not_take_is_counted_by_reason(why: Any, reason: str | None) -> None:
    """Once, at that provider; what is our own fault, or nobody's, is not the provider's error."""
    reasons = ("refused", "try_later", "ambiguous", "rate_limited", "circuit_open")
    counts = {one: Growth("careline_outreach_provider_errors_total", provider="mail", reason=one) for one in reasons}
    await sent(ASKED, NOON, why)
    assert {one: int(count.value) for one, count in counts.items() if count.value} == ({reason: 1} if reason else {})


async def test_a_letter_that_ends_as_failed_is_counted_once_by_reason() -> None:
    """When that is committed; it is told on two topics, and is one letter."""
    logic = LedgerLogic(topics=TOPICS, idempotent={EMAIL: False})
    failed = Growth("careline_outreach_failures_total", channel="EMAIL", reason="REJECTED")
    expired = Growth("careline_outreach_failures_total", channel="EMAIL", reason="EXPIRED")
    entry = logic.receive(Incoming(record=ASKED, value=b"", headers=[]), None, NOON, busy=False).state
    assert entry is not None
    called = logic.wake(entry.outreach_id, entry, NOON, busy=False).state
    refused = Failed(channel=EMAIL, provider="mail", reason=FailureReason.REJECTED, detail="550")
    rejected = logic.completed(entry.outreach_id, called, refused, NOON)
    assert failed.value == 0
    logic.committed((), rejected.sends)
    logic.committed((), logic.wake(entry.outreach_id, entry, ASKED.useful_until, busy=False).sends)
    assert (failed.value, expired.value) == (1, 1)


def test_the_request_says_what_is_behind_it() -> None:
    """The touchpoint's publication and its trace, from the request's headers; of the latest so many requests."""
    logic = LedgerLogic(topics=TOPICS, idempotent={EMAIL: False})
    published = [("ce_publishedat", b"1770638400000"), ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode())]
    entry = logic.receive(Incoming(record=ASKED, value=b"", headers=published), None, NOON, busy=False).state
    assert entry is not None
    [effect] = logic.wake(entry.outreach_id, entry, NOON, busy=False).effects
    assert effect.task.cause == Cause(1_770_638_400_000, TRACE)
    causes = Causes(most=2)
    for number in range(3):
        causes.note(outreach_id(number), published)
    causes.note(outreach_id(3), [])
    assert [causes.of(outreach_id(number)) is not None for number in range(4)] == [False, True, True, False]
