"""What became of what each policy wanted, counted from the records that the topics hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from processors.journey.identity import matter_of
from processors.policies.registry import installed
from streams.events import Decision, DecisionKind, GestureGiven, OutreachChannel, OutreachRequested, OutreachRetracted

_SENDS = (DecisionKind.SEND, DecisionKind.ESCALATE)


@dataclass(slots=True)
class Tally:
    """One policy's figures. Each counts distinct outreach, that is one occasion of one journey of one customer.

    ``wanted`` = ``sent`` + all of ``suppressed`` + ``dropped`` + ``waiting``: each outreach is in one of them, by the
    last that was decided of it. ``held`` and ``retracted`` say what happened on the way: every outreach that was ever
    held, by the reason it was first held for, and every one that was sent and taken back.
    """

    wanted: int = 0
    """Outreach about which anything was decided."""
    sent: int = 0
    """Requested of the dispatcher, whatever became of it there."""
    escalated: int = 0
    """Of those sent: a person is to step in, because something was left undone."""
    tasks: int = 0
    """Of those sent: tasks for staff, not letters."""
    held: Counter[str] = field(default_factory=Counter)
    suppressed: Counter[str] = field(default_factory=Counter)
    """Never sent, and refused at last, by the last reason."""
    dropped: int = 0
    """Never sent: while it was held its cause went away."""
    waiting: int = 0
    """Never sent, and still held when the day ended."""
    retracted: int = 0
    gesture_cost: Decimal = Decimal("0.00")
    """Of the gestures in what was sent, taken back or not; what employees gave is told by the policy that looks at it.
    What is not in the playbook's currency is left out."""
    customers: int = 0
    """Whom anything was sent to, or was to be done for."""

    def as_data(self) -> dict[str, Any]:
        """For JSON: reasons by how often, money as text."""
        return {
            "wanted": self.wanted,
            "sent": self.sent,
            "escalated": self.escalated,
            "tasks": self.tasks,
            "held": dict(self.held.most_common()),
            "suppressed": dict(self.suppressed.most_common()),
            "dropped": self.dropped,
            "waiting": self.waiting,
            "retracted": self.retracted,
            "gesture_cost": f"{self.gesture_cost:.2f}",
            "customers": self.customers,
        }


def by_policy(
    names: Iterable[str],
    *,
    decisions: Iterable[Decision],
    requested: Iterable[OutreachRequested],
    retracted: Iterable[OutreachRetracted],
    gestures: Iterable[GestureGiven],
    currency: str,
) -> dict[str, Tally]:
    """The figures of each policy, in the order of ``names``; all zero where it had nothing to say.

    ``decisions`` of one outreach are in the order in which they were made; the others may be in any order. A record
    that is there twice counts once.
    """
    tallies = {name: Tally() for name in names}
    stories: dict[str, dict[str, list[Decision]]] = {name: {} for name in tallies}
    for decision in {one.decision_id: one for one in decisions}.values():
        outreach = matter_of(decision) or decision.decision_id
        stories.setdefault(decision.policy, {}).setdefault(outreach, []).append(decision)
    for name, outreaches in stories.items():
        tally = tallies.setdefault(name, Tally())
        tally.wanted = len(outreaches)
        reached = set()
        for story in outreaches.values():
            if _count(tally, story):
                reached.add(story[0].customer_id)
        tally.customers = len(reached)
    for request in {one.outreach_id: one for one in requested}.values():
        tally = tallies.setdefault(request.policy, Tally())
        tally.tasks += is_task(request)
        if request.gesture is not None and request.gesture.currency == currency:
            tally.gesture_cost += request.gesture.cost
    for policy in {one.outreach_id: one.policy for one in retracted}.values():
        tallies.setdefault(policy, Tally()).retracted += 1
    given = {one.gesture_id: one.cost for one in gestures if one.currency == currency}
    for plugin in installed():
        if plugin.counts_gestures_of_staff and plugin.name in tallies:
            tallies[plugin.name].gesture_cost += sum(given.values(), Decimal(0))
    return tallies


def is_task(request: OutreachRequested) -> bool:
    """Whether it is a task for staff."""
    return any(address.channel is OutreachChannel.AGENT_TASK for address in request.addresses)


def sent_over_time(
    requested: Sequence[OutreachRequested], *, since: datetime, until: datetime, parts: int
) -> dict[str, list[int]]:
    """By policy, how many were sent in each of so many equal parts of the time between; what is outside is left out."""
    length: timedelta = (until - since) / parts
    found: dict[str, list[int]] = {}
    for request in requested:
        part = (request.requested_at - since) // length if length else 0
        if 0 <= part < parts:
            found.setdefault(request.policy, [0] * parts)[part] += 1
    return found


def _count(tally: Tally, story: Sequence[Decision]) -> bool:
    """Count one outreach; whether it was sent."""
    first_held = next((one.reason for one in story if one.kind is DecisionKind.HOLD), None)
    if first_held is not None:
        tally.held[first_held] += 1
    kinds = [one.kind for one in story]
    if any(kind in _SENDS for kind in kinds):
        tally.sent += 1
        tally.escalated += DecisionKind.ESCALATE in kinds
        return True
    last = story[-1]
    if last.kind is DecisionKind.HOLD:
        tally.waiting += 1
    elif last.kind is DecisionKind.RETRACT:
        tally.dropped += 1
    else:
        tally.suppressed[last.reason] += 1
    return False
