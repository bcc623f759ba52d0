"""Made-up customers: their profiles, addresses, consents and bookings. Seeded."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from processors.simulator.flights import Flight
from streams.durations import whole_millis
from streams.events import Address, ConsentStatus, OutreachChannel, Purpose

BOOKED_BEFORE = timedelta(hours=10, minutes=30)
"""Every booking is at least this long before the flight, so that it precedes any announcement."""

_APART = timedelta(hours=3)  # a second flight on the same day leaves room for the first
_SECOND_BOOKING = 0.04  # if nobody is free, a new passenger is created, so that about 3 in 100 have a second booking

_FIRST = (
    *("Ada", "Alan", "Amara", "Anna", "Aiko", "Ben", "Carlos", "Chloé", "Daniel", "Diego", "Elena", "Emma", "Femi"),
    *("Grace", "Hannah", "Hiro", "Ines", "Isaac", "James", "Jin", "José", "Jürgen", "Katherine", "Lena", "Liam"),
    *("Lucía", "Maria", "Mateo", "Maya", "Mei", "Nina", "Noah", "Olivia", "Omar", "Paul", "Priya", "Rosa", "Ruth"),
    *("Samuel", "Sofia", "Tara", "Theo", "Uma", "Victor", "Wanda", "Yuki", "Zoë"),
)
_LAST = (
    *("Adams", "Almeida", "Baker", "Becker", "Brown", "Chen", "Cohen", "Cruz", "Davis", "Dubois", "Evans", "Fischer"),
    *("García", "Gupta", "Harris", "Hill", "Ito", "Johnson", "Keller", "Kim", "King", "Lee", "Lopez", "Lovelace"),
    *("Martin", "Mensah", "Meyer", "Miller", "Moreau", "Müller", "Nakamura", "Nguyen", "Novak", "Okafor", "Patel"),
    *("Perez", "Quinn", "Ramos", "Reed", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Smith", "Tanaka", "Turner"),
    *("Walker", "Weber", "Young"),
)
_HOMES: dict[str, tuple[int, tuple[str, ...]]] = {  # time zone: weight, locales
    "America/New_York": (46, ("en-US", "en-US", "en-US", "es-US")),
    "America/Chicago": (10, ("en-US",)),
    "America/Denver": (3, ("en-US",)),
    "America/Los_Angeles": (11, ("en-US", "en-US", "es-US")),
    "America/Puerto_Rico": (3, ("es-PR",)),
    "America/Sao_Paulo": (3, ("pt-BR",)),
    "America/Toronto": (3, ("en-CA", "fr-CA")),
    "Asia/Kolkata": (2, ("en-IN",)),
    "Asia/Tokyo": (4, ("ja-JP",)),
    "Australia/Sydney": (3, ("en-AU",)),
    "Europe/Berlin": (4, ("de-DE",)),
    "Europe/London": (4, ("en-GB",)),
    "Europe/Paris": (2, ("fr-FR",)),
    "Pacific/Honolulu": (2, ("en-US",)),
}
_OTHER_WORDS = "Eastern Time (US & Canada)"  # as many systems write it


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """A customer's consent or denial; ``channel`` None means all channels."""

    channel: OutreachChannel | None
    purpose: Purpose
    status: ConsentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Passenger:
    """A made-up customer. ``flying`` is False for customers who only cause everyday traffic.

    ``time_zone`` may be None or not an IANA name, and ``addresses`` may be empty: such customers exist.
    ``consents`` are in the order in which they were given.
    """

    customer_id: str
    name: str
    locale: str
    time_zone: str | None
    addresses: tuple[Address, ...]
    consents: tuple[ConsentGiven, ...]
    flying: bool

    @property
    def email(self) -> str | None:
        """Their e-mail address, if they gave one."""
        return next((item.address for item in self.addresses if item.channel is OutreachChannel.EMAIL), None)

    @property
    def forbids_service_email(self) -> bool:
        """True if their latest consent denies even service letters."""
        status = ConsentStatus.GRANTED
        for consent in self.consents:
            if consent.purpose is Purpose.SERVICE and consent.channel in (None, OutreachChannel.EMAIL):
                status = consent.status
        return status is not ConsentStatus.GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One passenger's seat on one flight. ``booked_at`` is aware UTC."""

    order_id: str
    customer_id: str
    flight_id: str
    booked_at: datetime
    total: Decimal
    currency: str


def book(flights: Sequence[Flight], *, opens_at: datetime, rng: Random) -> tuple[list[Passenger], list[Booking]]:
    """Fill every flight with 2 to 6 made-up passengers; about 3 % of them have a second booking that day.

    Bookings fall between ``opens_at`` and the first scheduled departure of the day, and always at least
    :data:`BOOKED_BEFORE` ahead of their own flight.
    """
    passengers: list[Passenger] = []
    bookings: list[Booking] = []
    waiting: list[tuple[datetime, Passenger]] = []  # those with one booking, and when that flight leaves
    first = min(flight.scheduled_at for flight in flights)
    for flight in sorted(flights, key=lambda flight: (flight.scheduled_at, flight.flight_id)):
        latest = min(first, flight.scheduled_at - BOOKED_BEFORE)
        for _ in range(rng.randint(2, 6)):
            passenger = _again(flight, waiting, rng) if rng.random() < _SECOND_BOOKING else None
            if passenger is None:
                passenger = make_up(len(passengers) + 1, flying=True, home=flight.destination_zone, rng=rng)
                passengers.append(passenger)
                waiting.append((flight.scheduled_at, passenger))
            bookings.append(
                Booking(
                    order_id=f"B{len(bookings) + 1:06d}",
                    customer_id=passenger.customer_id,
                    flight_id=flight.flight_id,
                    booked_at=between(opens_at, latest, rng),
                    total=Decimal(rng.randint(8900, 64900)).scaleb(-2),
                    currency="USD",
                )
            )
    return passengers, bookings


def others(count: int, *, after: int, rng: Random) -> list[Passenger]:
    """Customers who do not fly today, numbered from ``after`` + 1."""
    return [make_up(after + number, flying=False, home=None, rng=rng) for number in range(1, count + 1)]


def make_up(number: int, *, flying: bool, home: str | None, rng: Random) -> Passenger:
    """One made-up customer; about a third of those with a ``home`` zone live there.

    About 4 % forbid service letters, 3 % have no e-mail address, 1 % no time zone or one with a non-IANA name.
    """
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    zone, locale = _home(home, rng)
    return Passenger(
        customer_id=f"cust-{number:05d}",
        name=f"{first} {last}",
        locale=locale,
        time_zone=zone,
        addresses=_addresses(first, last, number, rng),
        consents=_consents(rng),
        flying=flying,
    )


def between(start: datetime, end: datetime, rng: Random) -> datetime:
    """A random time from start to end, inclusive, to the millisecond; ``start`` if ``end`` is before it."""
    return start + timedelta(milliseconds=rng.randint(0, max(0, whole_millis(end - start))))


def _again(flight: Flight, waiting: list[tuple[datetime, Passenger]], rng: Random) -> Passenger | None:
    free = [item for item in waiting if item[0] <= flight.scheduled_at - _APART]
    if not free:
        return None
    chosen = rng.choice(free)
    waiting.remove(chosen)
    return chosen[1]


def _home(destination: str | None, rng: Random) -> tuple[str | None, str]:
    odd, away = rng.random(), rng.random()
    if odd < 0.01:
        return (None if odd < 0.005 else _OTHER_WORDS), "en-US"
    if destination is not None and away < 0.3:
        zone = destination
    else:
        zone = rng.choices(list(_HOMES), [weight for weight, _ in _HOMES.values()])[0]
    return zone, rng.choice(_HOMES.get(zone, (0, ("en-US",)))[1])


def _addresses(first: str, last: str, number: int, rng: Random) -> tuple[Address, ...]:
    # passengers.example is reserved (RFC 2606), and so are the numbers 555-0100 to 555-0199.
    email = Address(
        channel=OutreachChannel.EMAIL, address=f"{_plain(first)}.{_plain(last)}.{number:04d}@passengers.example"
    )
    phone = Address(channel=OutreachChannel.SMS, address=f"+1212555{rng.randint(100, 199):04d}")
    reachable, has_phone = rng.random(), rng.random()
    if reachable < 0.015:
        return ()
    if reachable < 0.03:
        return (phone,)
    return (email, phone) if has_phone < 0.35 else (email,)


def _consents(rng: Random) -> tuple[ConsentGiven, ...]:
    said: list[ConsentGiven] = []
    service, marketing = rng.random(), rng.random()
    if service < 0.04:
        channel = OutreachChannel.EMAIL if rng.random() < 0.6 else None
        if service < 0.02:
            said.append(ConsentGiven(channel=channel, purpose=Purpose.SERVICE, status=ConsentStatus.DENIED))
        else:
            said.append(ConsentGiven(channel=channel, purpose=Purpose.SERVICE, status=ConsentStatus.GRANTED))
            said.append(ConsentGiven(channel=channel, purpose=Purpose.SERVICE, status=ConsentStatus.REVOKED))
    if marketing < 0.5:
        status = ConsentStatus.GRANTED if marketing < 0.4 else ConsentStatus.DENIED
        said.append(ConsentGiven(channel=None, purpose=Purpose.MARKETING, status=status))
    return tuple(said)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
