"""``given(events).when(event).then("send notice with free-book")``: what a customer lived through, and what we did.

The sentences that :meth:`Journey.then` compares with are what a care lead would write down: one line for each letter,
each hold, each refusal and each retraction, in the order they were decided. Time passes as it does in the processor:
a deadline fires at its own moment, before any event of that moment or later.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Self

from processors.journey.core import FOLDED, Output, advance, wake
from processors.journey.playbook import FrequencyCap, GestureOffer, Playbook, QuietHours, Rules, by_type
from processors.journey.wait_rules import DelayRules, Stage, WaitRules
from processors.policies.registry import installed
from streams.events import (
    Address,
    CancelledBy,
    ConsentChanged,
    ConsentStatus,
    CustomerErased,
    Decision,
    DecisionKind,
    DelayEnded,
    DelayNoticed,
    DelayReason,
    JourneyState,
    OrderCancelled,
    OrderDelivered,
    OutreachChannel,
    OutreachRequested,
    OutreachRetracted,
    ProfileUpdated,
    Purpose,
    Touchpoint,
)
from streams.processor.order import due_alone

CUSTOMER = "ana"
TODAY = datetime(2026, 2, 9, tzinfo=UTC)
MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
HOOK = Address(channel=OutreachChannel.WEBHOOK, address="https://ana.example/hook")

_numbers = count(1)


def at(clock: str, *, day: int = 0) -> datetime:
    """That time of day in UTC, so many days from today."""
    return datetime.combine(TODAY + timedelta(days=day), time.fromisoformat(clock), tzinfo=UTC)


NOON = at("12:00")
TWO = at("14:00")


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
    """The playbook with these rules, and with these changes."""
    return dataclasses.replace(PLAYBOOK, version="tuned", **changes).with_rules(*rules)


def waits(**kinds: DelayRules) -> WaitRules:
    """The rules of waits, those of these kinds of subject changed."""
    return WaitRules(kinds={**WAITS.kinds, **kinds})


def capped(most: int, hours: float) -> Playbook:
    """At most so many service letters in so many hours."""
    cap = FrequencyCap(purpose=Purpose.SERVICE, most=most, window=timedelta(hours=hours))
    return tuned(caps=(cap,))


# -- what happened -----------------------------------------------------------------------------------------------------


def facts(occurred_at: datetime, **changes: Any) -> dict[str, Any]:
    """What every event carries."""
    return {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(next(_numbers)))),
        "customer_id": CUSTOMER,
        "occurred_at": occurred_at,
        "source": "test",
    } | changes


def profile(when: datetime = NOON - timedelta(days=9), **changes: Any) -> ProfileUpdated:
    """Ana tells who she is: one e-mail address, in a zone whose clocks are UTC's."""
    said = {"name": "Ana", "locale": "en", "time_zone": "UTC", "addresses": (MAIL,)}
    return ProfileUpdated(**(facts(when) | said | changes))


def delay(
    when: datetime = NOON,
    *,
    minutes: int | None = None,
    subject: str = "UA571",
    promised: datetime = TWO,
    expected: datetime | None = None,
    **changes: Any,
) -> DelayNoticed:
    """A flight promised for 14:00 is said to be late by so many minutes (or expected at a moment, or at no known)."""
    if minutes is not None:
        expected = promised + timedelta(minutes=minutes)
    said: dict[str, Any] = {
        "subject_kind": "flight",
        "subject_id": subject,
        "description": f"flight {subject}",
        "promised_at": promised,
        "expected_at": expected,
        "reason": DelayReason.WEATHER,
    }
    return DelayNoticed(**(facts(when) | said | changes))


def cancellation(when: datetime = NOON, **changes: Any) -> DelayNoticed:
    """The flight will not go at all."""
    return delay(when, cancelled=True, **changes)


def departure(when: datetime, *, subject: str = "UA571", **changes: Any) -> DelayEnded:
    """The flight is gone: nobody waits any more."""
    return DelayEnded(**(facts(when) | {"subject_kind": "flight", "subject_id": subject} | changes))


def consent(
    status: ConsentStatus,
    when: datetime = NOON - timedelta(days=8),
    *,
    channel: OutreachChannel | None = None,
    purpose: Purpose = Purpose.SERVICE,
) -> ConsentChanged:
    """Ana allows or forbids."""
    return ConsentChanged(**facts(when), channel=channel, purpose=purpose, status=status)


def delivered(when: datetime, order_id: str = "booking-1") -> OrderDelivered:
    """Ana has what she ordered."""
    return OrderDelivered(**facts(when), order_id=order_id)


def called_off(when: datetime, by: CancelledBy, order_id: str = "booking-1") -> OrderCancelled:
    """The order is cancelled."""
    return OrderCancelled(**facts(when), order_id=order_id, by=by)


def erased(when: datetime) -> CustomerErased:
    """Ana asks to be forgotten."""
    return CustomerErased(**facts(when))


# -- the language ------------------------------------------------------------------------------------------------------


class Journey:
    """One customer's journey, as far as it has come."""

    def __init__(self, playbook: Playbook = PLAYBOOK) -> None:
        self.state: JourneyState | None = None
        self.now = TODAY - timedelta(days=365)
        self.outputs: list[Output] = []
        self.everything: list[Output] = []
        self.duplicate = False
        self.handling = FOLDED
        self._playbook = playbook

    def when(self, event: Touchpoint, now: datetime | None = None) -> Self:
        """The event arrives, at ``now`` or as soon as it happened. Time does not go back for one that is late."""
        self.outputs = []
        now = max(self.now, now or event.occurred_at)
        self._pass(now)
        self.now = now
        step = advance(self.state, event, now=now, playbook=self._playbook)
        self.state, self.duplicate, self.handling = step.state, step.duplicate, step.handling
        assert not (step.unchanged and step.outputs), "what changes nothing leads to nothing"
        self._take(step.outputs)
        return self

    def when_time_passes_to(self, moment: datetime) -> Self:
        """Nothing happens but that time passes, up to the moment and through it."""
        self.outputs = []
        self._pass(moment)
        self.now = max(self.now, moment)
        return self

    def then(self, *lines: str) -> Self:
        """Exactly this was decided. A line: ``send notice with free-book``, ``hold notice until 10 Feb 07:00:
        quiet_hours``, ``suppress notice: no_consent``, ``take back notice: wait_over``."""
        assert told(self.outputs) == list(lines)
        return self

    def then_nothing(self) -> Self:
        """Nobody hears anything, and nothing was worth writing down."""
        return self.then()

    @property
    def known(self) -> JourneyState:
        """The state of a customer who is not forgotten."""
        assert self.state is not None
        return self.state

    @property
    def requests(self) -> list[OutreachRequested]:
        """Every letter requested so far."""
        return [one for one in self.everything if isinstance(one, OutreachRequested)]

    @property
    def decisions(self) -> list[Decision]:
        """Every decision so far."""
        return [one for one in self.everything if isinstance(one, Decision)]

    def _pass(self, until: datetime) -> None:
        for due in due_alone(lambda: self.state, until):
            step = wake(self.known, now=due, playbook=self._playbook)
            assert step.state is None or step.state.wake_at is None or step.state.wake_at > due, "later than now"
            self.state, self.now = step.state, due
            self._take(step.outputs)

    def _take(self, outputs: Iterable[Output]) -> None:
        outputs = list(outputs)
        decided = {one.decision_id: one for one in outputs if isinstance(one, Decision)}
        assert len(decided) == sum(1 for one in outputs if isinstance(one, Decision)), "one id, one decision"
        for one in outputs:
            if isinstance(one, OutreachRequested | OutreachRetracted):
                assert one.decision_id in decided, "no letter and no retraction without a decision on record"
        self.outputs += outputs
        self.everything += outputs


def given(*events: Touchpoint, playbook: Playbook = PLAYBOOK) -> Journey:
    """A customer who lived through these events, each arriving as it happened."""
    journey = Journey(playbook)
    for event in events:
        journey.when(event)
    journey.outputs = []
    return journey


def told(outputs: Iterable[Output]) -> list[str]:
    """What was decided, one line each; a letter's decision and its request are one line.

    Tasks for staff: ``task rescue for social-care by 09 Feb 14:00``, or ``escalate`` in place of
    ``task`` where something was left undone.
    """
    outputs = list(outputs)
    requests = {one.decision_id: one for one in outputs if isinstance(one, OutreachRequested)}
    retracted = {one.decision_id for one in outputs if isinstance(one, OutreachRetracted)}
    lines = []
    for one in outputs:
        match one:
            case Decision(kind=DecisionKind.SEND | DecisionKind.ESCALATE):
                request = requests.get(one.decision_id)
                if request is None:
                    lines.append(f"send {one.occasion} in the same letter")
                    continue
                if request.due_at is not None:
                    verb = "escalate" if one.kind is DecisionKind.ESCALATE else "task"
                    to = f"{request.addresses[0].address} by {request.due_at:%d %b %H:%M}"
                    lines.append(f"{verb} {one.occasion} for {to}")
                    continue
                gift = f" with {request.gesture.code}" if request.gesture else ""
                lines.append(f"send {one.occasion}{gift}")
            case Decision(kind=DecisionKind.HOLD, hold_until=datetime() as until):
                lines.append(f"hold {one.occasion} until {until:%d %b %H:%M}: {one.reason}")
            case Decision(kind=DecisionKind.RETRACT):
                verb = "take back" if one.decision_id in retracted else "drop"
                lines.append(f"{verb} {one.occasion}: {one.reason}")
            case Decision():
                lines.append(f"{one.kind.lower()} {one.occasion}: {one.reason}")
            case OutreachRetracted(reason="revised"):
                lines.append("replace the earlier letter")
            case _:
                pass
    return lines
