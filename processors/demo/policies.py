"""Results of each policy, counted from the records on the topics."""

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
    """One policy's figures. Each counts distinct outreaches: one occasion in one journey of one customer.

    ``wanted`` = ``sent`` + all of ``suppressed`` + ``dropped`` + ``waiting``: each outreach is in one of them, by its
    last decision. ``held`` and ``retracted`` count what happened before: every outreach that was ever held, by the
    first reason, and every one that was sent and then retracted.
    """

    wanted: int = 0
    """Outreaches with any decision."""
    sent: int = 0
    """Requested from the dispatcher, whatever the outcome."""
    escalated: int = 0
    """Those of the sent ones that ask a person to step in, because something was left undone."""
    tasks: int = 0
    """Those of the sent ones that are tasks for staff, not letters."""
    held: Counter[str] = field(default_factory=Counter)
    suppressed: Counter[str] = field(default_factory=Counter)
    """Never sent, and suppressed in the end, by the last reason."""
    dropped: int = 0
    """Never sent, because the reason went away while it was held."""
    waiting: int = 0
    """Never sent, and still held at the end of the day."""
    retracted: int = 0
    gesture_cost: Decimal = Decimal("0.00")
    """The cost of gestures in sent outreaches, retracted or not; for a policy that counts the gestures of staff, of
    those. Only in the playbook's currency."""
    customers: int = 0
    """Customers to whom anything was sent, or for whom a task was created."""

    def as_data(self) -> dict[str, Any]:
        """The figures for JSON: reasons by frequency, amounts as text."""
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
    """The figures of each policy, in the order of ``names``; all zero for a policy without decisions.

    ``decisions`` on one outreach must be in the order in which they were made; the other records may be in any order.
    A repeated record counts once.
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
    """By policy, how many were sent in each of ``parts`` equal parts of the range; requests outside are left out."""
    length: timedelta = (until - since) / parts
    found: dict[str, list[int]] = {}
    for request in requested:
        part = (request.requested_at - since) // length if length else 0
        if 0 <= part < parts:
            found.setdefault(request.policy, [0] * parts)[part] += 1
    return found


def _count(tally: Tally, story: Sequence[Decision]) -> bool:
    """Count one outreach, and return whether it was sent."""
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
