"""Caring hands: one contact in a hundred goes to a team without a time limit."""

from __future__ import annotations

from dataclasses import replace

from processors.policies.caring_hands.tests.rules import RULES, eager
from streams.events import Channel, ContactOpened
from streams.events import replace as changed
from tests.journey.care import answer, asks, exposures
from tests.journey.given import Journey, at, given, profile, tuned

ALL = tuned(eager(RULES))
NONE = tuned(replace(RULES, share=0.0))
ONE_PERCENT = tuned(RULES)


def test_an_assigned_contact_says_so_to_the_call_router() -> None:
    """The contact names the team as soon as it is opened, and the team gets a task."""
    ana = given(profile(), playbook=ALL).when(asks()).then("task assigned for caring-hands by 09 Feb 20:00")
    assert ana.known.contacts[0].routed_to == "caring-hands"
    assert ana.decisions[0].inputs["share"] == "1"


def test_whoever_is_not_drawn_goes_to_whoever_is_free() -> None:
    """A contact that is not drawn gets no task and no routing, but an exposure, so that the arms can be compared."""
    ana = given(profile(), playbook=NONE).when(asks()).then_nothing()
    assert ana.known.contacts[0].routed_to is None
    (met,) = exposures(ana)
    assert (met.experiment, met.arm, met.shares) == ("caring_hands", "usual", {"caring": 0.0, "usual": 1.0})


def test_a_case_stays_with_those_who_have_it() -> None:
    """A customer who changes the channel stays with the same team, without a second task."""
    ana = given(profile(), playbook=ALL).when(asks(matter="PNR-1"))
    ana.when(asks(at("12:10"), "c2", channel=Channel.CHAT, matter="PNR-1")).then_nothing()
    assert [one.routed_to for one in ana.known.contacts] == ["caring-hands", "caring-hands"]
    assert len(exposures(ana)) == 1


def test_the_draw_does_not_change_with_the_share() -> None:
    """A case that was drawn stays drawn when the share falls."""
    ana = given(profile(), asks(matter="PNR-1"), playbook=ALL)
    later = Journey(NONE)
    later.state, later.now = ana.state, ana.now
    later.when(asks(at("12:10"), "c2", matter="PNR-1")).then_nothing()
    assert later.known.contacts[1].routed_to == "caring-hands"


def test_once_a_person_has_answered_nobody_is_drawn() -> None:
    """The task is retracted when the contact is answered, and a case that was answered already is not drawn."""
    ana = given(profile(), asks(), playbook=ALL).when(answer(at("12:05"))).then("take back assigned: answered")
    late = given(profile(), answer(at("12:05")), playbook=ALL).when(asks(at("12:00")), now=at("12:06"))
    late.then_nothing()
    assert ana.known.contacts[0].routed_to == "caring-hands"


def test_about_one_in_a_hundred_is_drawn_always_the_same() -> None:
    """Of twenty thousand customers 150 to 250 are drawn, the same ones in every run."""
    drawn = [name for name in map(str, range(20_000)) if is_drawn(name)]
    assert 150 < len(drawn) < 250
    assert all(is_drawn(name) for name in drawn)


def is_drawn(name: str) -> bool:
    journey = Journey(ONE_PERCENT).when(of_customer(asks(), name))
    return journey.known.contacts[0].routed_to is not None


def of_customer(event: ContactOpened, name: str) -> ContactOpened:
    return changed(event, customer_id=name)
