"""Everyday traffic beside the storm: people sign up, shop, ask and answer, all day and the night after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from processors.simulator import texts
from processors.simulator.contacts import Voices, soon
from processors.simulator.flights import Flight
from processors.simulator.flying import SUBJECT_KIND
from processors.simulator.journal import SOURCE, Journal
from processors.simulator.passengers import Booking, Passenger, between
from streams.events import (
    Alternative,
    Channel,
    ConsentChanged,
    ConsentStatus,
    ItemUnavailable,
    OrderDelivered,
    OrderItem,
    OrderPlaced,
    OrderShipped,
    ProfileUpdated,
    Purpose,
)

_SECOND = timedelta(seconds=1)
_WISHES, _WISHES_OF_OTHERS = 0.16, 0.02


def introduce(passenger: Passenger, *, at: datetime, journal: Journal) -> None:
    """A customer's first events: the profile, then the consents, a second apart."""
    journal.add(
        ProfileUpdated(
            event_id="",
            customer_id=passenger.customer_id,
            occurred_at=at,
            source=SOURCE,
            name=passenger.name,
            locale=passenger.locale,
            time_zone=passenger.time_zone,
            addresses=passenger.addresses,
        )
    )
    for number, consent in enumerate(passenger.consents, start=1):
        journal.add(
            ConsentChanged(
                event_id="",
                customer_id=passenger.customer_id,
                occurred_at=at + number * _SECOND,
                source=SOURCE,
                channel=consent.channel,
                purpose=consent.purpose,
                status=consent.status,
            )
        )


def place_booking(booking: Booking, flight: Flight, *, journal: Journal) -> None:
    """The order for a booking: of kind ``flight``, promised for the scheduled departure."""
    journal.add(
        OrderPlaced(
            event_id="",
            customer_id=booking.customer_id,
            occurred_at=booking.booked_at,
            source=SOURCE,
            order_id=booking.order_id,
            kind=SUBJECT_KIND,
            description=flight.description,
            subject_id=flight.flight_id,
            promised_at=flight.scheduled_at,
            total=booking.total,
            currency=booking.currency,
        )
    )


def shop(
    customer_id: str, *, opens_at: datetime, closes_at: datetime, words: dict[str, str], journal: Journal, rng: Random
) -> None:
    """A customer who does not fly today: an order or two, perhaps a wish, a question, some feedback."""
    voices = Voices(journal=journal, rng=rng, customer_id=customer_id)
    for _ in range(rng.randint(1, 2)):
        order(customer_id, between(opens_at, closes_at - timedelta(hours=12), rng), journal=journal, rng=rng)
    if rng.random() < 0.15:
        wish(customer_id, between(opens_at, closes_at, rng), journal=journal, rng=rng)
    if rng.random() < 0.3:
        at = between(opens_at, closes_at, rng)
        voices.contact(at, asked=texts.ASKED_SHOP, matter=None, stress=0.1, words=words)
    if rng.random() < 0.04:
        voices.mention(between(opens_at, closes_at, rng), stress=0.1, words=words)
    if rng.random() < 0.15:
        voices.feedback(between(opens_at, closes_at, rng), about=None, stress=0.05, words=words)


def order(customer_id: str, at: datetime, *, journal: Journal, rng: Random) -> None:
    """A parcel: ordered, shipped some hours later, delivered a day after that."""
    order_id = journal.key("P")
    goods, price, quantity = rng.choice(texts.GOODS), _price(rng), rng.choice((1, 1, 1, 2))
    item_id = f"item-{texts.GOODS.index(goods) + 1:03d}"
    journal.add(
        OrderPlaced(
            event_id="",
            customer_id=customer_id,
            occurred_at=at,
            source=SOURCE,
            order_id=order_id,
            kind="parcel",
            description=f"parcel with {goods}",
            promised_at=at + timedelta(days=3),
            total=price * quantity,
            currency="USD",
            items=(OrderItem(item_id=item_id, description=goods, quantity=quantity, unit_price=price),),
        )
    )
    shipped_at = at + timedelta(milliseconds=rng.randint(2 * 3_600_000, 14 * 3_600_000))
    delivered_at = shipped_at + timedelta(milliseconds=rng.randint(16 * 3_600_000, 40 * 3_600_000))
    journal.add(
        OrderShipped(
            event_id="",
            customer_id=customer_id,
            occurred_at=shipped_at,
            source=SOURCE,
            order_id=order_id,
            carrier=rng.choice(texts.CARRIERS),
            tracking_link=f"https://parcels.example/track/{order_id}",
            expected_at=at + timedelta(days=2),
        )
    )
    journal.add(
        OrderDelivered(event_id="", customer_id=customer_id, occurred_at=delivered_at, source=SOURCE, order_id=order_id)
    )


def wish(customer_id: str, at: datetime, *, journal: Journal, rng: Random, sellers_known: int = 0) -> None:
    """A wish for something unavailable, with at least ``sellers_known`` other sellers that have it."""
    number = rng.randrange(len(texts.GOODS))
    item_id = f"item-{number + 1:03d}"
    sellers = rng.sample(texts.SELLERS, rng.randint(sellers_known, len(texts.SELLERS)))
    journal.add(
        ItemUnavailable(
            event_id="",
            customer_id=customer_id,
            occurred_at=at,
            source=SOURCE,
            item_id=item_id,
            description=texts.GOODS[number],
            channel=rng.choice((Channel.CALL, Channel.CHAT, Channel.IN_PERSON)),
            alternatives=tuple(
                Alternative(seller=name, link=f"https://{host}/{item_id}", price=_price(rng), currency="USD")
                for name, host in sellers
            ),
        )
    )


def perhaps_wish(passenger: Passenger, *, opens_at: datetime, closes_at: datetime, journal: Journal) -> None:
    """A wish of a passenger who wants offers: one in six of them finds something sold out."""
    rng = journal.chance("wish", passenger.customer_id)
    shops = any(one.purpose is Purpose.MARKETING and one.status is ConsentStatus.GRANTED for one in passenger.consents)
    if rng.random() < (_WISHES if shops else _WISHES_OF_OTHERS):
        wish(passenger.customer_id, between(opens_at, closes_at, rng), journal=journal, rng=rng, sellers_known=1)


def last_word(passenger: Passenger, at: datetime, *, words: dict[str, str], journal: Journal, rng: Random) -> None:
    """One ordinary event late in the day, so that event time advances for every customer."""
    voices = Voices(journal=journal, rng=rng, customer_id=passenger.customer_id)
    choice = rng.random()
    if choice < 0.5:
        voices.feedback(at, about=None, stress=0.1, words=words)
    elif choice < 0.62:
        voices.contact(at, asked=texts.ASKED_SHOP, matter=None, stress=0.1, words=words)
    elif choice < 0.9:
        order(passenger.customer_id, at, journal=journal, rng=rng)
    else:
        introduce_again(passenger, at, journal=journal)
    if rng.random() < 0.1:
        voices.mention(soon(at, minutes=30, rng=rng), stress=0.1, words=words)


def introduce_again(passenger: Passenger, at: datetime, *, journal: Journal) -> None:
    """A profile saved again without changes."""
    journal.add(
        ProfileUpdated(
            event_id="",
            customer_id=passenger.customer_id,
            occurred_at=at,
            source=SOURCE,
            name=passenger.name,
            locale=passenger.locale,
        )
    )


def words_of_some(flights: Sequence[Flight], rng: Random) -> dict[str, str]:
    """The words about a trip that a customer who does not fly today may mention."""
    return {"city": rng.choice(flights).destination_city, "flight": "my flight"}


def _price(rng: Random) -> Decimal:
    return Decimal(rng.randint(900, 24900)).scaleb(-2)
