"""What a provider tells of an outreach is news of that outreach, and of nothing else."""

from __future__ import annotations

from streams.events import Channel, ConsentStatus, OutreachChannel
from tests.journey.care import asks, everything, sent
from tests.journey.given import at, consent, given, profile


def test_that_a_task_was_handed_over_decides_nothing_else() -> None:
    """A holding message that may not be sent is past its use at 16:05, which nobody needs to be told; that the task
    for the lead was handed over, whenever we hear of it, is no reason to decide of the message again."""
    no = consent(ConsentStatus.DENIED, when=at("09:00"), channel=OutreachChannel.EMAIL)
    journey = given(profile(), no, asks(at("12:00"), channel=Channel.CALL), playbook=everything())
    journey.when_time_passes_to(at("12:20"))
    before = [(one.kind, one.reason, one.occasion) for one in journey.decisions]
    assert ("SUPPRESS", "no_consent", "holding") in before
    assert ("ESCALATE", "wanted", "escalation") in before
    journey.when(sent(at("12:20"), journey, channel=OutreachChannel.AGENT_TASK), now=at("18:00"))
    journey.then_nothing()
    assert journey.known.outreach[-1].outcome == "sent"
