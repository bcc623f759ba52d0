"""The core as the processor's logic: which records it sends, and what is counted when."""

from __future__ import annotations

from processors.roles import metrics
from processors.roles.journeys import JourneyLogic
from streams.events import Address, Decision, JourneyState, OutreachChannel, Touchpoint, replace
from streams.processor import Incoming, Step
from streams.publishing.cloudevents import Headers
from streams.topics import Topics
from tests.journey.given import MAIL, NOON, PLAYBOOK, delay, profile

TOPICS = Topics()
LOGIC = JourneyLogic(topics=TOPICS, playbook=PLAYBOOK)
NONE: Headers = ()


def told(*events: Touchpoint) -> Step[JourneyState]:
    """Return the step of the last of these events."""
    step: Step[JourneyState] = Step(state=None)
    for event in events:
        step = LOGIC.receive(Incoming(record=event, value=b"", headers=NONE), step.state, NOON, busy=False)
    return step


def counted() -> float:
    """Return the number of decisions counted so far."""
    samples = [sample for metric in metrics.DECISIONS.collect() for sample in metric.samples]
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


def test_decisions_are_counted_once_they_are_committed() -> None:
    """A decision is counted when its transaction is committed."""
    before = counted()
    step = told(profile(), delay(minutes=90))
    [decision] = [send.record for send in step.sends if isinstance(send.record, Decision)]
    assert counted() == before
    LOGIC.committed((), step.sends)
    assert counted() == before + 1
    assert decision.customer_id == step.sends[0].key


def test_a_repeated_touchpoint_changes_nothing() -> None:
    """A duplicate is counted as such and not written."""
    event = profile()
    step = told(event, event)
    assert (step.unchanged, step.handling, step.sends) == (True, "duplicate", ())


def test_a_webhook_that_leads_inside_is_refused_when_the_profile_comes() -> None:
    """The profile is kept without the webhook, and the record is a dead letter with the reason; repeated, it is a
    duplicate."""
    inside = Address(channel=OutreachChannel.WEBHOOK, address="http://127.0.0.1:8080/")
    event = replace(profile(), addresses=(inside, MAIL))
    step = told(event)
    assert step.state is not None
    assert step.state.profile.addresses == (MAIL,)
    assert step.refused is not None
    assert step.refused.reason == "invalid_addresses"
    assert "place 0 is not an https link" in step.refused.detail
    again = told(event, event)
    assert (again.handling, again.refused) == ("duplicate", None)
