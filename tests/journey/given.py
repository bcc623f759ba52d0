"""The test kit (:mod:`processors.testing`) with a small playbook for the tests."""

from __future__ import annotations

import dataclasses
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from processors.journey.playbook import FrequencyCap, GestureOffer, Playbook, QuietHours, Rules, by_type
from processors.journey.wait_rules import DelayRules, Stage, WaitRules
from processors.policies.registry import installed
from processors.testing import (
    CUSTOMER,
    HOOK,
    MAIL,
    NOON,
    TODAY,
    TWO,
    Scenario,
    arrived,
    at,
    cancellation,
    consent,
    delay,
    departure,
    erased,
    facts,
    order_cancelled,
    profile,
    told,
)
from streams.events import CancelledBy, OrderCancelled, OrderDelivered, OutreachChannel, Purpose, Touchpoint


def _gesture(code: str) -> GestureOffer:
    title = {"en": code.replace("-", " "), "de": f"{code} (de)"}
    return GestureOffer(code=code, title=title, cost=Decimal("4.00"), currency="USD")


POLICIES = tuple(plugin.policy for plugin in installed())

WAITS = WaitRules(
    kinds={
        "flight": DelayRules(
            threshold=timedelta(minutes=30),
            revise_after=timedelta(minutes=20),
            stages=(
                Stage(wait=timedelta(minutes=30), gesture=_gesture("free-book")),
                Stage(wait=timedelta(hours=2), gesture=_gesture("movie")),
                Stage(wait=timedelta(hours=4), gesture=_gesture("meal")),
            ),
            cancelled=_gesture("hotel"),
        ),
        "default": DelayRules(
            threshold=timedelta(days=1),
            revise_after=timedelta(hours=12),
            stages=(Stage(wait=timedelta(days=1), gesture=_gesture("free-shipping")),),
        ),
    }
)

PLAYBOOK = Playbook(
    version="test",
    rules=by_type(WAITS),
    policies=POLICIES,
    # every channel, so that an e-mail has a night to be held for
    quiet_hours=QuietHours(begin=time(22), end=time(7), channels=frozenset(OutreachChannel)),
    caps=(FrequencyCap(purpose=Purpose.SERVICE, most=8, window=timedelta(hours=24)),),
    channel_order=(OutreachChannel.EMAIL, OutreachChannel.WEBHOOK),
    default_time_zone="UTC",
    default_locale="en",
)


def tuned(*rules: Rules, **changes: Any) -> Playbook:
    """Return the playbook with these rules and changes."""
    return dataclasses.replace(PLAYBOOK, version="tuned", **changes).with_rules(*rules)


def waits(**kinds: DelayRules) -> WaitRules:
    """Return the rules of waits, with those of these kinds of subject changed."""
    return WaitRules(kinds={**WAITS.kinds, **kinds})


def capped(most: int, hours: float) -> Playbook:
    """Return a playbook that allows ``most`` service letters in ``hours`` hours."""
    cap = FrequencyCap(purpose=Purpose.SERVICE, most=most, window=timedelta(hours=hours))
    return tuned(caps=(cap,))


class Journey(Scenario):
    """A scenario with the tests' playbook, in which policies may fail, because the tests cover that."""

    def __init__(self, playbook: Playbook = PLAYBOOK) -> None:
        super().__init__(playbook, policies_may_fail=True)


def given(*events: Touchpoint, playbook: Playbook = PLAYBOOK) -> Journey:
    """Return the journey of a customer after these events, each arriving when it happened."""
    return Journey(playbook).after(*events)


def delivered(when: datetime, order_id: str = "booking-1") -> OrderDelivered:
    """Ana's order is delivered."""
    return arrived(when, order_id)


def called_off(when: datetime, by: CancelledBy, order_id: str = "booking-1") -> OrderCancelled:
    """The order is cancelled."""
    return order_cancelled(when, by, order_id)


__all__ = [
    "CUSTOMER",
    "HOOK",
    "MAIL",
    "NOON",
    "PLAYBOOK",
    "POLICIES",
    "TODAY",
    "TWO",
    "WAITS",
    "Journey",
    "at",
    "called_off",
    "cancellation",
    "capped",
    "consent",
    "delay",
    "delivered",
    "departure",
    "erased",
    "facts",
    "given",
    "profile",
    "told",
    "tuned",
    "waits",
]
