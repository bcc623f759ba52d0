"""From the touchpoint to its outcome there is one trace, whoever works on it and however long it waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.events import OutreachRequested, OutreachSent
from tests.tracing.day import NIGHT, NOON, Day, day, delayed
from tests.tracing.receiver import Receiver, Span, receiving
from tests.waiting import until

TOUCHPOINTS, OUTREACH = "careline.touchpoints", "careline.outreach"


def chain(receiver: Receiver, last: Span) -> list[str]:
    """The names of the spans from the first of the trace down to ``last``."""
    by_id = {span.span_id: span for span in receiver.spans}
    names, span = [], last
    while True:
        names.append(f"{span.service.removeprefix('careline-')}: {span.name}")
        if not span.parent:
            return names[::-1]
        span = by_id[span.parent]


async def outcome_of(day: Day, receiver: Receiver) -> Span:
    """The journeys' span of the outcome of the delay's letter, with everything before it received."""

    def heard() -> list[Span]:
        kinds = "cloudevents.event_type"
        found = receiver.named(f"process {TOUCHPOINTS}")
        return [span for span in found if span.attributes.get(kinds) == "careline.outcome.OutreachSent"]

    await day.met("touchpoints", OutreachSent)
    for _ in range(200):
        await day.flushed()
        if heard():
            break
    [outcome] = heard()
    return outcome


WAY = [
    f"departures: send {TOUCHPOINTS}",
    f"journeys: process {TOUCHPOINTS}",
    f"outreach: process {OUTREACH}",
    "outreach: deadline outreach",
    "outreach: effect outreach",
    "outreach: result outreach",
    f"journeys: process {TOUCHPOINTS}",
]


async def test_a_touchpoint_and_what_became_of_it_are_one_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publisher, journeys, outreach, the call of the provider and the outcome: one id, each the child of its cause."""
    async with receiving() as receiver, day(receiver, monkeypatch, begins=NOON) as at:
        await at.start("journeys")
        await at.start("outreach")
        await at.publish(*delayed(NOON))
        outcome = await outcome_of(at, receiver)
        assert chain(receiver, outcome) == WAY
        trace = outcome.trace_id
        called = receiver.one("send phones", trace)
        effect = receiver.one("effect outreach", trace)
        assert (called.kind, called.parent) == ("CLIENT", effect.span_id)
        assert called.attributes["careline.outcome"] == "Delivered"
        assert receiver.one(f"send {TOUCHPOINTS}", trace).kind == "PRODUCER"
        first = receiver.named(f"process {TOUCHPOINTS}")
        [asked] = [span for span in first if span.trace_id == trace and "careline.policies" in span.attributes][:1]
        assert asked.kind == "CONSUMER"
        assert asked.attributes["careline.policies"] == ["delay_care"]
        assert asked.attributes["messaging.kafka.offset"] == 1
        request = await at.met("outreach", OutreachRequested)
        assert (
            asked.attributes["careline.outreach.ids"]
            == [request.outreach_id]
            == called.attributes["careline.outreach.ids"]
        )


async def test_a_hold_is_a_link_and_no_span_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that waits for the morning has a span of its own in the touchpoint's trace, linked to the step that held
    it; and so it has where journeys crashed in the night."""
    async with receiving() as receiver, day(receiver, monkeypatch, begins=NIGHT) as at:
        journeys = await at.start("journeys")
        await at.start("outreach")
        await at.publish(*delayed(NIGHT))

        def held() -> list[Span]:
            return [span for span in receiver.spans if span.attributes.get("careline.handling") == "folded"]

        while len(held()) < 2:
            await at.flushed()
        assert not at.phones.seen
        await journeys.stop()
        await at.start("journeys")
        at.clock.advance(timedelta(hours=9))
        outcome = await outcome_of(at, receiver)
        assert chain(receiver, outcome) == [*WAY[:2], "journeys: deadline journeys", *WAY[2:]]
        deadline = receiver.one("deadline journeys", outcome.trace_id)
        by_id = {span.span_id: span for span in receiver.spans}
        holding = by_id[deadline.parent]
        assert deadline.links == (holding.span_id,)
        assert holding.ended < deadline.began
        assert (holding.name, holding.trace_id) == (f"process {TOUCHPOINTS}", outcome.trace_id)
        turn = receiver.one("deadline outreach", outcome.trace_id)
        assert [by_id[link].name for link in turn.links] == [f"process {OUTREACH}"]


async def test_a_commit_links_to_the_steps_of_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at a slow commit finds the events in it."""
    async with receiving() as receiver, day(receiver, monkeypatch) as at:
        await at.publish(*delayed(NOON), *delayed(NOON, "ben"))
        await at.start("journeys")
        await until(lambda: at.receiver.calls > 0, within=20)
        while len(receiver.named(f"process {TOUCHPOINTS}")) < 4:
            await at.flushed()
        commits = receiver.named(f"commit {TOUCHPOINTS}")
        linked = [link for commit in commits for link in commit.links]
        assert sorted(linked) == sorted(span.span_id for span in receiver.named(f"process {TOUCHPOINTS}"))
        assert sum(commit.attributes["messaging.batch.message_count"] for commit in commits) == 4
