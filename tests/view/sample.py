"""One made-up customer in the snow of 8 February 2013, as the records of the topics say it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from processors.view.projection import RecordPlace, Write, project, shown
from processors.view.store import InMemoryViewStore
from streams import events
from streams.events import Record

NOON = datetime(2013, 2, 8, 12, tzinfo=UTC)
ANNA = "anna-made-up"


def uid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


DELAYED = events.DelayNoticed(
    event_id=uid("delay"), customer_id=ANNA, occurred_at=after(0), source="test", subject_kind="flight",
    subject_id="UA-123", description="UA 123 to Chicago", promised_at=after(120), expected_at=after(245),
    reason=events.DelayReason.WEATHER,
)  # fmt: skip
ASKED = events.FeedbackGiven(
    event_id=uid("csat"), customer_id=ANNA, occurred_at=after(300), source="test", feedback_id="f-1",
    kind=events.FeedbackKind.CSAT, score=5, text="You told me in time",
)  # fmt: skip
HELD = events.Decision(
    decision_id=uid("held"), customer_id=ANNA, decided_at=after(1), kind=events.DecisionKind.HOLD, reason="quiet_hours",
    explanation="It is night where Anna is.", policy="delay_care", playbook_version="v", journey_id="delay:UA-123",
    occasion="notice", outreach_id=uid("letter"), hold_until=after(60),
)  # fmt: skip
DECIDED = events.Decision(
    decision_id=uid("sent"), customer_id=ANNA, decided_at=after(60), kind=events.DecisionKind.SEND, reason="due",
    explanation="The wait is over an hour.", policy="delay_care", playbook_version="v", journey_id="delay:UA-123",
    occasion="notice", outreach_id=uid("letter"), channel=events.OutreachChannel.EMAIL,
)  # fmt: skip
REFUSED = events.Decision(
    decision_id=uid("refused"), customer_id=ANNA, decided_at=after(200), kind=events.DecisionKind.SUPPRESS,
    reason="frequency_cap", explanation="Three letters a day are enough.", policy="delay_care", playbook_version="v",
    journey_id="delay:UA-123", occasion="gesture-2",
)  # fmt: skip
REQUESTED = events.OutreachRequested(
    outreach_id=uid("letter"), customer_id=ANNA, requested_at=after(60), decision_id=uid("sent"), policy="delay_care",
    playbook_version="v", journey_id="delay:UA-123", occasion="notice", purpose=events.Purpose.SERVICE,
    template="delay_care/notice", locale="en-US", time_zone="America/Chicago", why="So that nobody waits in the dark.",
    useful_until=after(240),
)  # fmt: skip
SENT = events.OutreachSent(
    event_id=uid("outcome"), customer_id=ANNA, occurred_at=after(61), source="careline/outreach",
    outreach_id=uid("letter"), channel=events.OutreachChannel.EMAIL, provider="smtp",
)  # fmt: skip
TASK = events.AgentTask(
    task_id=uid("task"), customer_id=ANNA, opened_at=after(310), team="rescue", due_at=after(340), title="Call Anna",
    text="She waits.", locale="en-US", policy="recovery", journey_id="feedback:f-1", occasion="recover",
    escalation=True, why="So that a bad day ends well.", useful_until=after(900), decision_id=uid("task decision"),
)  # fmt: skip
DONE = events.AgentTaskDone(
    event_id=uid("done"), customer_id=ANNA, occurred_at=after(330), source="desk", task_id=uid("task"),
    agent_id="agent-7", note="She is on the next flight.",
)  # fmt: skip
TASK_TAKEN_BACK = events.OutreachRetracted(
    outreach_id=uid("task"), customer_id=ANNA, retracted_at=after(331), decision_id=uid("taken back"),
    policy="recovery", journey_id="feedback:f-1", reason="wait_over",
)  # fmt: skip
ERASED = events.CustomerErased(
    event_id=uid("erased"), customer_id=ANNA, occurred_at=after(800), source="privacy",
)  # fmt: skip
STATE = events.JourneyState(
    customer_id=ANNA, revision=7, updated_at=after(61), touchpoints=4, recent_events=b"\x01\x02",
    profile=events.Profile(
        name="Anna Madeup", locale="en-US", time_zone="America/Chicago",
        addresses=(events.Address(channel=events.OutreachChannel.EMAIL, address="anna@mail.example"),),
    ),
    consents=(
        events.Consent(purpose=events.Purpose.MARKETING, status=events.ConsentStatus.DENIED, as_of=after(-900)),
    ),
    delays=(
        events.Delay(
            subject_kind="flight", subject_id="UA-123", description="UA 123 to Chicago", promised_at=after(120),
            expected_at=after(245), cancelled=False, reason=events.DelayReason.WEATHER, opened_at=after(0),
            as_of=after(0),
        ),
        events.Delay(
            subject_kind="flight", subject_id="UA-1", description="an old one", promised_at=after(-900),
            cancelled=False, reason=events.DelayReason.WEATHER, opened_at=after(-900), as_of=after(-900),
            closed_at=after(-600),
        ),
    ),
)  # fmt: skip

TOPIC_OF = {
    events.JourneyState: "careline.journeys",
    events.Decision: "careline.decisions",
    events.OutreachRequested: "careline.outreach",
    events.OutreachRetracted: "careline.outreach",
    events.OutreachSent: "careline.outcomes",
    events.OutreachFailed: "careline.outcomes",
    events.AgentTask: "careline.agent-tasks",
}
DAY: tuple[Record, ...] = (DELAYED, HELD, STATE, DECIDED, REQUESTED, SENT, REFUSED, ASKED)


def place(record: Record, offset: int) -> RecordPlace:
    return RecordPlace(topic=TOPIC_OF.get(type(record), "careline.touchpoints"), partition=0, offset=offset)


def writes(*records: Record, erased: int | None = None) -> list[Write]:
    """What the records change, each at the offset of its place in the list."""
    found: list[Write] = []
    for offset, record in enumerate(records):
        if shown(record, erased):
            found += project(record, place(record, offset))
    return found


async def view_of(*records: Record) -> InMemoryViewStore:
    """A view of these records."""
    store = InMemoryViewStore()
    await store.apply(await store.begin(), writes(*records), {})
    return store
