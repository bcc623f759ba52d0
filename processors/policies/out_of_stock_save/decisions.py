"""Out-of-stock save: more concerned about you than about that sale (Joseph Michelli on Zappos).

A customer who asked for an item that was unavailable gets a link to a seller that has it, a competitor if need be, and
a coupon for next time; once for each item. Its redemption is tracked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from processors.journey.actions import Suppress, Want
from processors.journey.naming import journey_about
from processors.journey.playbook import Playbook
from processors.journey.settling import JourneyStep, Settling
from processors.journey.wanting import want_of
from processors.policies.out_of_stock_save.rules import StockRules
from streams.events import Alternative, JourneyState, Wish, replace

SAVE = "save"

CODE_WANTED = "wanted"
"""Placeholder for the coupon's code, which is made when the letter is written, with the secret for codes."""


class OutOfStockSave(Settling):
    """The policy described in the module's docstring."""

    name = "out_of_stock_save"
    why: Mapping[str, str] = {
        "en": "You matter more to us than this one sale.",
        "de": "Sie sind uns wichtiger als dieser eine Verkauf.",
        "es": "Usted nos importa más que esta venta.",
        "pt": "Você é mais importante para nós do que esta venda.",
        "fr": "Vous comptez plus pour nous que cette vente.",
    }

    def watched(self, state: JourneyState) -> Sequence[Wish]:
        """Return the wishes: items that were unavailable."""
        return state.wishes

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep]:
        """Yield a letter for each open wish."""
        rules = playbook.rules_of(StockRules)
        if rules is None:
            return
        for wish in state.wishes:
            if wish.closed_at is not None:
                continue
            yield JourneyStep(journey_id(wish), SAVE, partial(self._save, state, wish, playbook, rules))

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Close the wishes for which a letter would be too late; one without a decision stays until its refusal is
        recorded."""
        rules = playbook.rules_of(StockRules)
        if rules is None or not state.wishes:
            return state
        wishes = []
        for wish in state.wishes:
            over = wish.closed_at is None and now >= wish.opened_at + rules.useful
            decided = over and any(
                (one.policy, one.journey_id) == (self.name, journey_id(wish)) and one.held_until is None
                for one in state.settled
            )
            wishes.append(replace(wish, closed_at=now) if decided else wish)
        return state if tuple(wishes) == state.wishes else replace(state, wishes=tuple(wishes))

    def _save(self, state: JourneyState, wish: Wish, playbook: Playbook, rules: StockRules) -> Want | Suppress:
        want = self._want(state, wish, playbook, rules)
        if wish.alternatives:
            return want
        return Suppress(want=want, reason="no_alternative", explanation="no alternative is known")

    def _want(self, state: JourneyState, wish: Wish, playbook: Playbook, rules: StockRules) -> Want:
        best = min(wish.alternatives, key=_price) if wish.alternatives else None
        return want_of(
            self,
            state,
            playbook,
            journey_id=journey_id(wish),
            occasion=SAVE,
            purpose=rules.purpose,
            variables={
                "name": state.profile.name or "",
                "description": wish.description,
                "seller": best.seller if best else "",
                "link": best.link if best else "",
                "price": str(best.price) if best and best.price is not None else "",
                "currency": (best.currency or "") if best else "",
                "gesture_title": "",
                "gesture_link": "",
                "gesture_code": CODE_WANTED,
            },
            offer=rules.coupon,
            useful_until=wish.opened_at + rules.useful,
            inputs={
                "subject": f"item {wish.item_id}",
                "alternatives": str(len(wish.alternatives)),
                "seller": best.seller if best else "",
            },
        )


def journey_id(wish: Wish) -> str:
    """Return the journey id of a wish, the same for each request of the item."""
    return journey_about("wish", wish.item_id)


def _price(alternative: Alternative) -> tuple[Decimal, str]:
    return (Decimal("Infinity") if alternative.price is None else alternative.price, alternative.seller)
