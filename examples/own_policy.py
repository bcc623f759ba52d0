"""A policy of your own: a day after an order has arrived, one letter asks whether all is well.

    python examples/own_policy.py            # plays it for one customer and prints the letter
    python -m pytest examples/own_policy.py  # its tests

It needs no server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from processors.journey.actions import Want
from processors.journey.playbook import Playbook
from processors.journey.settling import JourneyStep, Settling
from processors.journey.wanting import want_of
from processors.testing import arrived, asks, at, given, ordered, profile
from streams.events import JourneyState
from streams.events.journeys import Order

AFTER, USEFUL = timedelta(days=1), timedelta(days=3)


class AllIsWell(Settling):
    """What has arrived is asked about once, a day later, unless its customer is in touch with us anyway."""

    name = "all_is_well"
    why = {"en": "What we sent should be what you hoped for."}  # noqa: RUF012

    def watched(self, state: JourneyState) -> Sequence[Order]:
        """The orders: it has nothing to do with customers who have none."""
        return state.orders

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep]:
        """One question an order. A step is wanted as long as its cause lasts; that it was decided is remembered."""
        in_touch = any(contact.closed_at is None for contact in state.contacts)
        for order in state.orders:
            arrived_at = order.delivered_at
            if arrived_at is not None and arrived_at + AFTER <= now and not in_touch:
                until = arrived_at + USEFUL
                want = partial(self._want, state, order, playbook, until)
                yield JourneyStep(f"order/{order.order_id}", "question", want)

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[tuple[str, datetime]]:
        """When time alone makes a step due."""
        for order in state.orders:
            if order.delivered_at is not None:
                yield f"order/{order.order_id}", order.delivered_at + AFTER

    def _want(self, state: JourneyState, order: Order, playbook: Playbook, until: datetime) -> Want:
        return want_of(
            self,
            state,
            playbook,
            journey_id=f"order/{order.order_id}",
            occasion="question",  # its letter is all_is_well/question
            variables={"name": state.profile.name or "", "description": order.description},
            useful_until=until,
            inputs={"subject": f"order {order.order_id}"},
        )


BODY = """
Hello {{ name }},

your order arrived yesterday: {{ description }}. If anything is not as you hoped, reply to this message.
"""
LETTERS = {"all_is_well/question": {"en": {"subject": "Is all well with your order?", "body": BODY}}}

ana = partial(given, profile(), ordered(when=at("09:00")), policies=[AllIsWell()], letters=LETTERS)


def test_a_day_after_the_arrival_we_ask_once() -> None:
    """Not earlier, and not again."""
    story = ana().when(arrived(at("15:00", day=2))).then_nothing()
    story.when_time_passes_to(at("14:59", day=3)).then_nothing()
    story.when_time_passes_to(at("15:00", day=3)).then("send question")
    story.then_the_letter_says("Hello Ana", "desk lamp")
    story.when_time_passes_to(at("15:00", day=30)).then_nothing()


def test_whoever_is_in_touch_is_not_asked() -> None:
    """They are telling us already."""
    story = ana(arrived(at("15:00", day=2))).when(asks(at("10:00", day=3)))
    story.when_time_passes_to(at("15:00", day=30)).then_nothing()


def main() -> None:
    """Print the letter."""
    letter = ana(arrived(at("15:00", day=2))).when_time_passes_to(at("15:00", day=3)).letter
    print(f"Subject: {letter.subject}\n\n{letter.text}")


if __name__ == "__main__":
    main()
