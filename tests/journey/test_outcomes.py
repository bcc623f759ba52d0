"""An outcome of one outreach causes no decision about another."""

from __future__ import annotations

from streams.events import Channel, ConsentStatus, OutreachChannel
from tests.journey.care import asks, everything, sent
from tests.journey.given import at, consent, given, profile


def test_that_a_task_was_handed_over_decides_nothing_else() -> None:
    """That a task for the lead was handed over, however late it is reported, does not cause another decision on the
    holding message, which was refused and is no longer useful."""
    no = consent(ConsentStatus.DENIED, when=at("09:00"), channel=OutreachChannel.EMAIL)
    journey = given(profile(), no, asks(at("12:00"), channel=Channel.CALL), playbook=everything())
    journey.when_time_passes_to(at("12:20"))
    before = [(one.kind, one.reason, one.occasion) for one in journey.decisions]
    assert ("SUPPRESS", "no_consent", "holding") in before
    assert ("ESCALATE", "wanted", "escalation") in before
    journey.when(sent(at("12:20"), journey, channel=OutreachChannel.AGENT_TASK), now=at("18:00"))
    journey.then_nothing()
    assert journey.known.outreach[-1].outcome == "sent"
