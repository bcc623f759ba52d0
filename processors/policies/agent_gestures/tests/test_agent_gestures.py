"""Gestures of employees: no approval is needed within a budget."""

from __future__ import annotations

from decimal import Decimal

from processors.policies.agent_gestures.decisions import left
from processors.policies.agent_gestures.rules import AgentGestures
from tests.journey.care import everything, given_by_agent
from tests.journey.given import at, given, profile

CARE = everything()


def test_within_the_budget_nobody_is_asked() -> None:
    """Gestures within the budget are kept in the state and cause no task."""
    ana = given(profile(), playbook=CARE).when(given_by_agent(cost="6.00")).then_nothing()
    ana.when(given_by_agent(at("13:00"), "44.00", "g2")).then_nothing()
    assert [one.code for one in ana.known.gestures] == ["coffee", "coffee"]


def test_beyond_it_a_lead_hears_of_it_and_the_customer_keeps_it() -> None:
    """With a budget of fifty a day, the lead is told once by how much it was exceeded, and the gesture stays given."""
    ana = given(profile(), given_by_agent(cost="48.00"), playbook=CARE)
    ana.when(given_by_agent(at("13:00"), "6.00", "g2")).then("escalate over_budget for care-leads by 10 Feb 13:00")
    told = {name: ana.requests[0].variables[name] for name in ("total", "budget", "hours", "budget_currency")}
    assert told == {"total": "54.00", "budget": "50.00", "hours": "24", "budget_currency": "USD"}
    ana.when(given_by_agent(at("13:00"), "6.00", "g2")).then_nothing()
    assert len(ana.known.gestures) == 2


def test_the_day_rolls() -> None:
    """A day later the daily budget has room again, until the monthly budget is reached."""
    ana = given(profile(), given_by_agent(cost="48.00"), playbook=CARE)
    ana.when(given_by_agent(at("12:00", day=1), "30.00", "g2")).then_nothing()
    ana.when(given_by_agent(at("12:00", day=2), "10.00", "g3")).then(
        "escalate over_budget for care-leads by 12 Feb 12:00"
    )


def test_another_currency_cannot_be_added_up() -> None:
    """A gesture in another currency than the budget's goes to a lead."""
    ana = given(profile(), playbook=CARE).when(given_by_agent(currency="EUR"))
    ana.then("escalate over_budget for care-leads by 10 Feb 12:00")
    assert (ana.requests[0].variables["total"], ana.requests[0].variables["budget_currency"]) == ("", "USD")


def test_what_is_left_can_be_looked_up() -> None:
    """Before giving, an employee can look up what may still be given to this customer without approval."""
    ana = given(profile(), given_by_agent(cost="48.00"), playbook=CARE)
    assert left(ana.known, at("12:30"), CARE) == Decimal("2.00")
    assert left(ana.known, at("12:30", day=1), CARE) == Decimal("32.00")
    assert left(ana.known, at("12:30"), everything().without(AgentGestures)) is None
