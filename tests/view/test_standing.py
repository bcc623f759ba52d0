"""Where a customer stands with us: what a care person needs to know before they pick up the telephone."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from processors.cli.customer import as_data, show
from processors.journey.playbook import Playbook
from processors.playbook import load_playbook
from processors.policies.agent_gestures.rules import AgentGestures
from processors.terminal import Screen
from processors.view.reading import customer_view
from processors.view.standing import standing, told
from processors.view.wording import summary
from streams import events
from streams.events import replace
from tests.view.sample import ANNA, DAY, DECIDED, NOON, STATE, after, uid, view_of

PLAYBOOK: Playbook = load_playbook()


def contact(number: str, channel: events.Channel, minutes: int, **more: object) -> events.Contact:
    known = events.Contact(
        contact_id=number, channel=channel, matter="UA-123", summary="Asks about the bag.", opened_at=after(minutes),
        as_of=after(minutes),
    )  # fmt: skip
    return replace(known, **more)


def given(cost: str, minutes: int) -> events.Given:
    return events.Given(
        gesture_id=f"g{minutes}", agent_id="agent-07", code="coffee-voucher", cost=Decimal(cost), currency="USD",
        occurred_at=after(minutes),
    )  # fmt: skip


def lines(state: events.JourneyState, now: datetime = NOON, playbook: Playbook = PLAYBOOK) -> list[str]:
    return told(standing(state, now, playbook), UTC)


def test_what_may_be_given_is_what_the_budget_leaves() -> None:
    """50 a day as delivered; what was given counts for as long as the budget looks back, and nothing is below 0."""
    assert lines(STATE)[0] == "may be given 50.00 USD without approval"
    assert lines(replace(STATE, gestures=(given("6.00", -60), given("39.00", -30))))[0].startswith("may be given 5.00 ")
    assert lines(replace(STATE, gestures=(given("58.00", -60),)))[0].startswith("may be given 0.00 ")
    assert lines(replace(STATE, gestures=(given("6.00", -60),)), NOON + timedelta(days=2))[0].startswith(
        "may be given 50"
    )


def test_without_a_budget_nothing_is_said_of_it() -> None:
    """Nobody takes silence for a budget without end."""
    assert not any("given" in line for line in lines(STATE, playbook=PLAYBOOK.without(AgentGestures)))


def test_one_matter_is_one_case() -> None:
    """On two channels it is told once: since when, and when a lead is asked to step in."""
    state = replace(
        STATE, contacts=(contact("c1", events.Channel.EMAIL, 0), contact("c2", events.Channel.CALL, 60))
    )  # fmt: skip
    (case,) = [line for line in lines(state, after(61)) if line.startswith("case")]
    assert case == (
        "case by email and call: UA-123, waiting for a person since Fri 8 Feb 2013, 12:00"
        "; escalates to a lead Fri 8 Feb 2013, 20:00"
    )
    assert "lead" not in " ".join(lines(state, after(9 * 60)))


def test_a_case_that_came_back_says_so_and_where_it_goes() -> None:
    """When we had thought it settled, and the team that it is routed to."""
    settled = contact("c1", events.Channel.CALL, -600, replied_at=after(-590), closed_at=after(-580))
    again = contact("c2", events.Channel.CHAT, 0, routed_to="caring-hands")
    (case,) = [line for line in lines(replace(STATE, contacts=(settled, again))) if line.startswith("case")]
    assert "came back after it was closed Fri 8 Feb 2013, 02:20" in case
    assert case.endswith("goes to caring-hands")


def test_an_answered_case_has_no_clock() -> None:
    """Whoever talks with somebody of ours waits for nobody."""
    state = replace(STATE, contacts=(contact("c1", events.Channel.CALL, 0, replied_at=after(1), answered_at=after(1)),))
    (case,) = [line for line in lines(state, after(2)) if line.startswith("case")]
    assert case == "case by call: UA-123, answered"


def test_what_is_held_says_until_when_and_why() -> None:
    """Of delay care and of the other policies alike, the soonest first; a hold that is over is not told."""
    held = replace(STATE.delays[0], refused="notice:quiet_hours", held_until=after(300))
    steps = tuple(
        events.Settled(
            policy="out_of_stock_save", journey_id=f"wish/{at}", occasion="save", reason="quiet_hours",
            as_of=after(0), held_until=after(at),
        )
        for at in (-5, 120)
    )  # fmt: skip
    found = [line for line in lines(replace(STATE, delays=(held,), settled=steps)) if "held until" in line]
    assert found == [
        "out of stock save, save: held until Fri 8 Feb 2013, 14:00 (quiet hours)",
        "delay care, notice: held until Fri 8 Feb 2013, 17:00 (quiet hours)",
    ]


async def test_the_page_shows_it_and_programs_get_it() -> None:
    """Between what is under way and what was sent; as data with money as text."""
    view = await customer_view(await view_of(*DAY), ANNA)
    assert view.state is not None
    now = standing(view.state, NOON, PLAYBOOK)
    out = io.StringIO()
    show(view, Screen(file=out, width=140), now)
    assert "Current situation\n  may be given 50.00 USD without approval" in out.getvalue()
    data = json.loads(json.dumps(as_data(view, now)))
    assert data["standing"]["may_give"] == "50.00"
    assert json.loads(json.dumps(as_data(view)))["standing"] is None


async def test_every_outreach_says_why_we_serve_so() -> None:
    """The policy's own sentence stands beside each outreach on the page, also beside one that is a task."""
    why = "Whoever speaks about us in public deserves an answer from a person."
    request = events.OutreachRequested(
        outreach_id=uid("rescue"), customer_id=ANNA, requested_at=after(60), decision_id=uid("d"),
        policy="mention_reply", playbook_version="v", journey_id="mention/m1", occasion="rescue",
        purpose=events.Purpose.SERVICE, template="mention_reply/rescue", locale="en", time_zone="UTC", why=why,
        useful_until=after(240), due_at=after(180),
        addresses=(events.Address(channel=events.OutreachChannel.AGENT_TASK, address="social-care"),),
    )  # fmt: skip
    decision = replace(DECIDED, decision_id=uid("d"), policy="mention_reply", outreach_id=uid("rescue"))
    view = await customer_view(await view_of(decision, request), ANNA)
    out = io.StringIO()
    show(view, Screen(file=out, width=140))
    assert f"why we serve: {why}" in out.getvalue()


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (given("6.00", 0), "was given coffee voucher (6.00 USD) by agent-07"),
        (
            events.Settled(
                policy="recovery", journey_id="feedback/f1", occasion="follow_up", reason="asked_already", as_of=NOON
            ),
            "recovery, follow up: asked already",
        ),
        (
            contact("c1", events.Channel.CALL, 0, came_back_at=after(60), routed_to="caring-hands"),
            "call contact, not answered yet, came back Fri 8 Feb 2013, 13:00, goes to caring-hands: UA-123",
        ),
        (
            events.ExperimentExposed(
                event_id="e", customer_id=ANNA, occurred_at=NOON, experiment="coupon-kind", unit=ANNA,
                arm="free-shipping", bucket=0.7, policy="out_of_stock_save", journey_id="wish/i", playbook_version="v",
            ),
            "met coupon-kind: free shipping",
        ),
        (
            events.GestureGiven(
                event_id="e", customer_id=ANNA, occurred_at=NOON, source="s", gesture_id="g", agent_id="agent-07",
                code="coffee-voucher", cost=Decimal("6.00"), currency="USD", title="a coffee and a pastry",
            ),
            "was given a coffee and a pastry (6.00 USD) by agent-07",
        ),
        (
            events.AgentTaskDone(
                event_id="e", customer_id=ANNA, occurred_at=NOON, source="s", task_id="t", agent_id="agent-07",
                note="Called, all is well.",
            ),
            "task done by agent-07: Called, all is well.",
        ),
        (
            events.AgentTask(
                task_id="t", customer_id=ANNA, opened_at=NOON, team="recovery", due_at=after(60), title="Call Anna",
                text="", locale="en", policy="recovery", journey_id="feedback/f1", occasion="recover", why="",
                useful_until=after(600), decision_id="d",
            ),
            "task for recovery, by Fri 8 Feb 2013, 13:00: Call Anna",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else None,
)  # fmt: skip
def test_new_records_have_words(record: object, said: str) -> None:
    """One line each, as a care person would put it."""
    assert summary(record, UTC) == said
