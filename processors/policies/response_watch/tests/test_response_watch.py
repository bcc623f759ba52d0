"""Response watch: every contact gets an answer, on every channel."""

from __future__ import annotations

import pytest

from processors.journey.cases import open_cases
from processors.policies.response_watch.rules import ResponseRules
from streams.events import Channel, ConsentStatus, OutreachRetracted, Resolution
from tests.journey.care import answer, asks, closes, everything
from tests.journey.given import at, consent, given, profile

CARE = everything()


def test_a_contact_that_waits_is_told_so_then_escalated() -> None:
    """A caller gets the holding message after five minutes; after fifteen somebody is asked to step in."""
    ana = given(profile(), playbook=CARE).when(asks(at("12:00"))).then_nothing()
    ana.when_time_passes_to(at("12:04")).then_nothing()
    ana.when_time_passes_to(at("12:05")).then("send holding")
    ana.when_time_passes_to(at("12:15")).then("escalate escalation for care-leads by 09 Feb 13:15")
    ana.when_time_passes_to(at("12:00", day=5)).then_nothing()


@pytest.mark.parametrize("channel", [one for one in Channel if one is not Channel.CALL])
def test_every_channel_has_a_clock(channel: Channel) -> None:
    """A channel without a clock of its own has the default one."""
    ana = given(profile(), asks(at("12:00"), channel=channel), playbook=CARE)
    ana.when_time_passes_to(at("12:59")).then_nothing()
    ana.when_time_passes_to(at("13:00")).then("send holding")
    ana.when_time_passes_to(at("16:00")).then("escalate escalation for care-leads by 09 Feb 17:00")


def test_an_answer_in_time_stops_the_clock() -> None:
    """A person's answer within five minutes stops the clock."""
    ana = given(profile(), asks(at("12:00")), playbook=CARE)
    ana.when(answer(at("12:03"))).then_nothing()
    ana.when_time_passes_to(at("18:00")).then_nothing()


def test_a_machine_is_no_answer() -> None:
    """An automated reply does not stop the clock."""
    ana = given(profile(), asks(at("12:00")), answer(at("12:01"), automated=True), playbook=CARE)
    ana.when_time_passes_to(at("12:15")).then(
        "send holding", "escalate escalation for care-leads by 09 Feb 13:15"
    )  # fmt: skip


def test_an_answer_takes_the_escalation_back() -> None:
    """A person's answer retracts the escalation."""
    ana = given(profile(), asks(at("12:00")), playbook=CARE).when_time_passes_to(at("12:20"))
    ana.when(answer(at("12:30"))).then("take back escalation: answered")
    assert any(isinstance(one, OutreachRetracted) for one in ana.outputs)


def test_whoever_hangs_up_is_still_owed_a_call() -> None:
    """If the customer abandons the contact after the escalation, the task stays."""
    ana = given(profile(), asks(at("12:00")), playbook=CARE).when_time_passes_to(at("12:20"))
    ana.when(closes(at("12:30"), resolution=Resolution.ABANDONED)).then_nothing()


def test_a_contact_that_is_closed_unanswered_needs_no_escalation() -> None:
    """If staff close the contact unanswered, as a mistake or a duplicate, the task is retracted."""
    ana = given(profile(), asks(at("12:00")), playbook=CARE).when_time_passes_to(at("12:20"))
    ana.when(closes(at("12:30"), resolution=Resolution.UNSOLVED)).then("take back escalation: closed")


def test_one_matter_is_one_case_on_however_many_channels() -> None:
    """A call, an e-mail and a chat about the same booking cause one holding message and one escalation."""
    ana = given(profile(), asks(at("12:00"), "c1", matter="PNR-1"), playbook=CARE)
    ana.when(asks(at("12:02"), "c2", channel=Channel.CHAT, matter="PNR-1")).then_nothing()
    ana.when(asks(at("12:03"), "c3", channel=Channel.EMAIL, matter="PNR-1")).then_nothing()
    assert len(open_cases(ana.known)) == 1
    ana.when_time_passes_to(at("23:00")).then(
        "send holding", "escalate escalation for care-leads by 09 Feb 13:15"
    )  # fmt: skip
    assert ana.decisions[0].inputs["channels"] == "CALL, CHAT, EMAIL"


def test_an_answer_on_one_channel_is_an_answer_to_the_case() -> None:
    """An answer in the chat stops the clock of the call about the same matter."""
    ana = given(profile(), asks(at("12:00"), "c1", matter="PNR-1"), playbook=CARE)
    ana.when(asks(at("12:02"), "c2", channel=Channel.CHAT, matter="PNR-1"))
    ana.when(answer(at("12:04"), "c2", channel=Channel.CHAT)).then_nothing()
    ana.when_time_passes_to(at("23:00")).then_nothing()


def test_changing_the_channel_does_not_start_the_clock_anew() -> None:
    """A customer who hangs up unanswered and writes instead has been waiting since the call."""
    ana = given(profile(), asks(at("12:00"), "c1", matter="PNR-1"), playbook=CARE)
    ana.when(closes(at("12:04"), "c1", Resolution.ABANDONED)).then_nothing()
    ana.when(asks(at("12:30"), "c2", channel=Channel.EMAIL, matter="PNR-1")).then_nothing()
    ana.when_time_passes_to(at("13:00")).then("send holding")


def test_two_matters_are_two_cases() -> None:
    """An answer about the flight does not stop the clock of the question about the parcel."""
    ana = given(profile(), asks(at("12:00"), "c1", matter="PNR-1"), playbook=CARE)
    ana.when(asks(at("12:01"), "c2", matter="parcel-9"))
    ana.when(answer(at("12:02"), "c1")).then_nothing()
    ana.when_time_passes_to(at("12:06")).then("send holding")


@pytest.mark.parametrize("same_contact", [True, False])
def test_a_closed_case_that_comes_back_within_days_was_not_solved(same_contact: bool) -> None:
    """A case that is reopened two days after its end is escalated at once."""
    ana = given(profile(), asks(at("12:00"), "c1", matter="PNR-1"), playbook=CARE)
    ana.when(answer(at("12:02"), "c1")).when(closes(at("12:10"), "c1"))
    again = asks(at("12:00", day=2), "c1" if same_contact else "c2", matter="PNR-1")
    ana.when(again).then("escalate came_back for care-leads by 11 Feb 13:00")
    ana.when_time_passes_to(at("12:05", day=2)).then("send holding")
    ana.when_time_passes_to(at("15:00", day=2)).then_nothing()
    (case,) = open_cases(ana.known)
    assert case.closed_before == at("12:10")


def test_a_case_that_comes_back_weeks_later_is_a_new_one() -> None:
    """A case that is reopened after ten days is a new one, with a new clock."""
    ana = given(profile(), asks(at("12:00"), "c1", matter="PNR-1"), playbook=CARE)
    ana.when(answer(at("12:02"), "c1")).when(closes(at("12:10"), "c1"))
    ana.when(asks(at("12:00", day=10), "c2", matter="PNR-1")).then_nothing()
    ana.when_time_passes_to(at("12:15", day=10)).then(
        "send holding", "escalate escalation for care-leads by 19 Feb 13:15"
    )  # fmt: skip


def test_at_night_the_holding_message_waits_and_the_escalation_does_not() -> None:
    """At night the holding message is suppressed, since it would not be useful by morning, and the escalation is
    opened."""
    ana = given(profile(), asks(at("23:00")), playbook=CARE)
    ana.when_time_passes_to(at("23:20")).then(
        "suppress holding: quiet_hours", "escalate escalation for care-leads by 10 Feb 00:15"
    )  # fmt: skip
    ana.when_time_passes_to(at("09:00", day=1)).then_nothing()


def test_a_held_holding_message_is_decided_again() -> None:
    """A holding message that is held until seven is released if a person answers before, and sent otherwise."""
    early = given(profile(), asks(at("03:30"), channel=Channel.EMAIL), playbook=CARE)
    early.when_time_passes_to(at("04:30")).then("hold holding until 09 Feb 07:00: quiet_hours")
    early.when(answer(at("06:00"), channel=Channel.EMAIL)).then("drop holding: no_longer_needed")
    early.when_time_passes_to(at("10:00")).then_nothing()
    late = given(profile(), asks(at("03:30"), channel=Channel.EMAIL), playbook=CARE)
    late.when_time_passes_to(at("08:00")).then(
        "hold holding until 09 Feb 07:00: quiet_hours",
        "send holding",
        "escalate escalation for care-leads by 09 Feb 08:30",
    )


def test_whoever_wants_no_mail_gets_none_but_their_question_is_not_lost() -> None:
    """A customer who denies service letters gets no holding message, but their question is still escalated."""
    ana = given(profile(), consent(ConsentStatus.DENIED), asks(at("12:00")), playbook=CARE)
    ana.when_time_passes_to(at("12:20")).then(
        "suppress holding: no_consent", "escalate escalation for care-leads by 09 Feb 13:15"
    )  # fmt: skip


def test_the_policy_is_off_without_rules() -> None:
    """Without its section in the playbook, response watch does nothing."""
    ana = given(profile(), asks(at("12:00")), playbook=everything().without(ResponseRules))
    ana.when_time_passes_to(at("23:00")).then_nothing()
