"""What the renewal reminder promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from renewal_reminder import POLICY
from renewal_reminder.rules import RenewalRules

from processors.journey.core import advance, wake
from processors.letters.templates import Templates
from processors.playbook import load_playbook
from streams.events import (
    Address,
    JourneyState,
    OrderCancelled,
    OrderPlaced,
    OutreachChannel,
    OutreachRequested,
    ProfileUpdated,
    Touchpoint,
)

BOOK = load_playbook()
RENEWS = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Customer:
    """Ana, and the letters about renewals that she was sent."""

    def __init__(self) -> None:
        self.state: JourneyState | None = None
        self.letters: list[tuple[datetime, OutreachRequested]] = []

    def lives(self, *events: Touchpoint, until: datetime) -> Customer:
        """These events, each as it happens, and time up to that moment."""
        for event in events:
            self._pass(event.occurred_at)
            self._take(advance(self.state, event, now=event.occurred_at, playbook=BOOK), event.occurred_at)
        self._pass(until)
        return self

    def _pass(self, until: datetime) -> None:
        while self.state is not None and self.state.wake_at is not None and self.state.wake_at <= until:
            due = self.state.wake_at
            self._take(wake(self.state, now=due, playbook=BOOK), due)

    def _take(self, step: Any, now: datetime) -> None:
        self.state = step.state
        found = [one for one in step.outputs if isinstance(one, OutreachRequested) and one.policy == POLICY.name]
        self.letters += [(now, one) for one in found]


def facts(when: datetime) -> dict[str, Any]:
    return {"event_id": f"{when}", "customer_id": "ana", "occurred_at": when, "source": "test"}


def profile(locale: str = "en") -> ProfileUpdated:
    mail = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
    said = {"name": "Ana", "locale": locale, "time_zone": "UTC", "addresses": (mail,)}
    return ProfileUpdated(**facts(RENEWS - 101 * DAY), **said)


def subscribes(kind: str = "subscription") -> OrderPlaced:
    order = {"order_id": "S-7", "kind": kind, "description": "magazine, one year", "promised_at": RENEWS}
    return OrderPlaced(**facts(RENEWS - 100 * DAY), **order)


def test_a_customer_is_told_two_weeks_before_a_renewal_and_once() -> None:
    """Not sooner, not again, and the letter is of no use once it has renewed."""
    [(at, letter)] = Customer().lives(profile(), subscribes(), until=RENEWS + DAY).letters
    assert at == RENEWS - 14 * DAY
    assert (letter.template, letter.useful_until) == ("renewal_reminder/reminder", RENEWS)


def test_whoever_has_cancelled_hears_nothing_of_it() -> None:
    """What was called off does not renew."""
    off = OrderCancelled(**facts(RENEWS - 20 * DAY), order_id="S-7")
    assert Customer().lives(profile(), subscribes(), off, until=RENEWS).letters == []


def test_a_parcel_does_not_renew() -> None:
    """Only orders of the kinds in the playbook do."""
    assert Customer().lives(profile(), subscribes(kind="parcel"), until=RENEWS).letters == []


def test_the_letter_says_what_renews_and_when_in_the_customers_language() -> None:
    """In English and German; in any other language it is in English."""
    for locale, said in (
        ("en", "On Monday, March 1 this renews"),
        ("de", "am Montag, 1. März verlängert sich"),
        ("it", "On Monday"),
    ):
        [(_, letter)] = Customer().lives(profile(locale), subscribes(), until=RENEWS).letters
        text = Templates.of(BOOK).render(letter, unsubscribe="https://care.example/u/1").text
        assert said in text
        assert "magazine, one year" in text


def test_the_default_playbook_has_its_section() -> None:
    """Two weeks before, for subscriptions."""
    assert BOOK.rules_of(RenewalRules) == RenewalRules(kinds=("subscription",), before=14 * DAY)
