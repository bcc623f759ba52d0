"""How soon the customers who were owed a letter got it: the goals of the storm day.

Of all customers who waited beyond the threshold, have given consent and have an address: how many got a letter within a
minute of the announcement, and how many before they contacted us. Both shares should be at least GOAL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from streams.events import ContactOpened, Decision, DecisionKind, DelayNoticed

GOAL = 0.98
_AT_ONCE = timedelta(minutes=1)
_POLICY = "delay_care"
_NOT_ALLOWED = frozenset({"no_consent", "no_address", "suppressed"})

Pair = tuple[str, str]
"""A customer and the subject of their wait: customer_id and subject_id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promptness:
    """Counts of pairs. ``reachable``: owed a letter, with consent and an address."""

    reachable: int
    within_a_minute: int
    before_they_asked: int

    @property
    def told_within_a_minute(self) -> float:
        """The share of the reachable, 0 to 1; 1 if there are none."""
        return self.within_a_minute / self.reachable if self.reachable else 1.0

    @property
    def told_before_they_asked(self) -> float:
        """The share of the reachable, 0 to 1; 1 if there are none."""
        return self.before_they_asked / self.reachable if self.reachable else 1.0


def promptness(
    owed: Iterable[Pair],
    *,
    notices: Iterable[tuple[datetime, DelayNoticed]],
    contacts: Iterable[ContactOpened],
    decisions: Iterable[Decision],
    threshold: timedelta,
) -> Promptness:
    """Count the pairs. ``notices`` come with their times of publication."""
    announced: dict[Pair, datetime] = {}
    for at, notice in notices:
        long = notice.expected_at is not None and notice.expected_at - notice.promised_at >= threshold
        if notice.cancelled or long:
            _earliest(announced, (notice.customer_id, notice.subject_id), at)
    asked: dict[Pair, datetime] = {}
    for contact in contacts:
        if contact.matter is not None:
            _earliest(asked, (contact.customer_id, contact.matter), contact.occurred_at)
    told: dict[Pair, datetime] = {}
    reasons: dict[Pair, set[str]] = {}
    for decision in decisions:
        if decision.policy != _POLICY:
            continue
        about = (decision.customer_id, decision.inputs.get("subject", "").split(" ", 1)[-1])
        if decision.kind is DecisionKind.SEND:
            _earliest(told, about, decision.decided_at)
        else:
            reasons.setdefault(about, set()).add(decision.reason)
    reachable = [pair for pair in owed if pair in told or not reasons.get(pair, set()) & _NOT_ALLOWED]
    return Promptness(
        reachable=len(reachable),
        within_a_minute=sum(
            pair in told and pair in announced and told[pair] <= announced[pair] + _AT_ONCE for pair in reachable
        ),
        before_they_asked=sum(pair in told and (pair not in asked or told[pair] <= asked[pair]) for pair in reachable),
    )


def _earliest(moments: dict[Pair, datetime], pair: Pair, at: datetime) -> None:
    moments[pair] = min(moments.get(pair, at), at)
