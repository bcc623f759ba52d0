"""Gestures of employees: trust those who talk to the customer to do the right thing (Starr; Bliss).

Within the playbook's budget they need no approval. A gesture beyond it stays given: a lead is informed, to discuss it
or to raise the budget.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from processors.journey.actions import Task, Want
from processors.journey.guard.limits import by_employees
from processors.journey.known import Known, MayGive
from processors.journey.naming import journey_about
from processors.journey.playbook import Budget, Playbook
from processors.journey.policy import as_text
from processors.journey.settling import Deadline, JourneyStep, Settling, deadline
from processors.journey.wanting import want_of
from processors.policies.agent_gestures.rules import AgentGestures
from streams.durations import in_hours
from streams.events import Given, JourneyState

OVER = "over_budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """How a gesture exceeds a budget: the total of the window's gestures, and the budget. Both are None if the gesture
    is in another currency and cannot be added up."""

    currency: str
    total: Decimal | None = None
    budget: Budget | None = None

    def told(self) -> dict[str, str]:
        """Return the letter's variables: total, budget, hours and budget_currency; all but the last are "" if not added
        up."""
        if self.budget is None:
            return {"total": "", "budget": "", "hours": "", "budget_currency": self.currency}
        return {
            "total": str(self.total),
            "budget": str(self.budget.most),
            "hours": in_hours(self.budget.window),
            "budget_currency": self.currency,
        }


class GesturesOfAgents(Settling):
    """The policy described in the module's docstring."""

    name = "agent_gestures"
    why: Mapping[str, str] = {
        "en": "Whoever talks to the customer knows best what would help.",
        "de": "Wer mit dem Kunden spricht, weiß am besten, was hilft.",
        "es": "Quien habla con el cliente sabe mejor que nadie qué ayuda.",
        "pt": "Quem fala com o cliente é quem melhor sabe o que ajudaria.",
        "fr": "Qui parle avec le client sait le mieux ce qui peut l’aider.",
    }

    def watched(self, state: JourneyState) -> Sequence[Given]:
        """Return the gestures that employees gave."""
        return state.gestures

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep]:
        """Yield a task for the lead for each gesture beyond the budget."""
        rules = playbook.rules_of(AgentGestures)
        if rules is None:
            return
        for given in state.gestures:
            said = beyond(given, state, rules.budgets, playbook.currency)
            if said is not None:
                by = deadline(given.occurred_at, rules.escalated_due, now)
                make = partial(self._want, state, given, playbook, rules, said=said, by=by)
                yield JourneyStep(journey_about("gesture", given.gesture_id), OVER, make)

    def _want(
        self, state: JourneyState, given: Given, playbook: Playbook, rules: AgentGestures, *, said: Beyond,
        by: Deadline,
    ) -> Want:  # fmt: skip
        told = said.told()
        return want_of(
            self,
            state,
            playbook,
            journey_id=journey_about("gesture", given.gesture_id),
            occasion=OVER,
            variables={
                "name": state.profile.name or "",
                "customer_id": state.customer_id,
                "agent_id": given.agent_id,
                "code": given.code,
                "cost": str(given.cost),
                "currency": given.currency,
                "about": given.about or "",
                **told,
                "given_at": as_text(given.occurred_at),
                "due_at": as_text(by.due),
            },
            useful_until=by.useful_until,
            task=Task(team=rules.escalate_to, due_at=by.due),
            answers=True,  # it is discussed among staff and does not contact the customer
            escalation=True,
            inputs={"subject": f"gesture {given.gesture_id}", "agent": given.agent_id, **told},
        )


def beyond(given: Given, state: JourneyState, budgets: tuple[Budget, ...], currency: str) -> Beyond | None:
    """Return how the gesture exceeds a budget; None if it is within all of them."""
    if given.currency != currency:
        return Beyond(currency=currency)
    for budget in budgets:
        at = given.occurred_at
        total = by_employees(state, at - budget.window, currency, until=at)
        if total > budget.most:
            return Beyond(currency=currency, total=total, budget=budget)
    return None


def left(state: JourneyState, now: datetime, playbook: Playbook) -> Decimal | None:
    """Return what an employee may still give this customer without approval; None if there is no budget."""
    rules = playbook.rules_of(AgentGestures)
    if rules is None or not rules.budgets:
        return None
    room = (budget.most - by_employees(state, now - budget.window, playbook.currency) for budget in rules.budgets)
    return max(min(room), Decimal(0))


def knows(state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Known]:
    """Yield what an employee may still give without approval."""
    amount = left(state, now, playbook)
    if amount is not None:
        yield MayGive(amount=amount)
