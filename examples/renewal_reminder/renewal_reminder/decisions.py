"""Who is told of a renewal, and when. Pure: it reads the state, the rules and the time it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from processors.journey.actions import Want
from processors.journey.playbook import Playbook
from processors.journey.policy import as_text
from processors.journey.settling import DueTime, JourneyStep, Settling
from processors.journey.wanting import want_of
from renewal_reminder.rules import RenewalRules
from streams.events import JourneyState, Order

REMINDER = "reminder"


class RenewalReminder(Settling):
    """See the package."""

    name = "renewal_reminder"
    why: Mapping[str, str] = {
        "en": "Whoever stays should stay because they want to.",
        "de": "Wer bleibt, soll bleiben, weil er es will.",
    }

    def watched(self, state: JourneyState) -> Sequence[Order]:
        """The orders."""
        return state.orders

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep]:
        """A letter for each renewal that is near enough, and still to come."""
        rules = playbook.rules_of(RenewalRules)
        if rules is None:
            return
        for order, renews_at in renewals(state, rules):
            if renews_at - rules.before <= now < renews_at:
                make = partial(self._reminder, state, order, renews_at, playbook)
                yield JourneyStep(journey_id(order, renews_at), REMINDER, make)

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[DueTime]:
        """When the next reminder is due."""
        rules = playbook.rules_of(RenewalRules)
        if rules is None:
            return
        for order, renews_at in renewals(state, rules):
            yield journey_id(order, renews_at), renews_at - rules.before

    def _reminder(self, state: JourneyState, order: Order, renews_at: datetime, playbook: Playbook) -> Want:
        return want_of(
            self,
            state,
            playbook,
            journey_id=journey_id(order, renews_at),
            occasion=REMINDER,
            variables={
                "name": state.profile.name or "",
                "description": order.description,
                "renews_at": as_text(renews_at),
            },
            useful_until=renews_at,
            inputs={"subject": f"{order.kind} {order.order_id}", "renews_at": as_text(renews_at)},
        )


def renewals(state: JourneyState, rules: RenewalRules) -> Iterator[tuple[Order, datetime]]:
    """The orders that will renew, each with the moment at which it does."""
    for order in state.orders:
        if order.kind in rules.kinds and order.closed_at is None and order.promised_at is not None:
            yield order, order.promised_at


def journey_id(order: Order, renews_at: datetime) -> str:
    """One renewal of one order."""
    return f"renewal/{order.order_id}/{renews_at:%Y-%m-%d}"
