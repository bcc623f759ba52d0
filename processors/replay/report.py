"""The report of a replay, as data. Nothing in it is random or depends on when it was made; everything has its order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from processors.replay.difference import Difference
from processors.replay.fold import Tally
from processors.replay.recorded import Decided
from streams.clock import from_millis
from streams.events import DecisionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Decisions about customers of whom the topics no longer hold everything: they can't be decided again."""

    customers: frozenset[str]
    recorded: int
    replayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Who would hear what and when, against what was decided in ``since`` <= time < ``until``."""

    since: datetime
    until: datetime
    playbook: str
    reached: int
    """Up to when (ms) the role has handled all there is; less than ``until`` where it is behind."""
    tally: Tally
    difference: Difference
    set_aside: SetAside
    recorded_twice: int
    """Decisions that are on record more than once."""
    replayed_twice: int
    """As many as would be: a fact that is told again in the millisecond in which its customer was forgotten."""

    @property
    def exact(self) -> bool:
        """Whether the record is what would be decided, no more, no less and nothing else."""
        return not self.difference and self.recorded_twice == self.replayed_twice

    @property
    def letters_lost(self) -> int:
        """Recorded sends whose letter is no longer kept: only the decision could be compared."""
        return sum(1 for one in self.difference.recorded if not one.whole and one.reaches)

    def as_data(self) -> dict[str, Any]:
        """All of it, for programs. Times are ISO 8601 in UTC, money is text with its decimals."""
        found = self.difference
        recorded, replayed = found.recorded, found.replayed
        hear_otherwise = found.hear_otherwise()
        return {
            "from": iso(self.since),
            "to": iso(self.until),
            "playbook": self.playbook,
            "decided_up_to": iso(min(self.until, from_millis(self.reached))),
            "read": {
                "touchpoints": self.tally.records,
                "folded": self.tally.folded,
                "duplicates": self.tally.duplicates,
                "passed_over": self.tally.passed_over,
                "misplaced": self.tally.misplaced,
                "dead_letters": dict(sorted(self.tally.dead_letters.items())),
                "timers": self.tally.timers,
                "moved_in_time": self.tally.moved,
            },
            "difference": {
                "same": len(found.same),
                "reworded": found.reworded,
                "changed": len(found.changed),
                "only_recorded": len(found.only_recorded),
                "only_replayed": len(found.only_replayed),
                "customers": len(found.customers),
                "customers_who_hear_otherwise": len(hear_otherwise),
            },
            "recorded_under": self.versions(),
            "set_aside": {
                "customers": len(self.set_aside.customers),
                "recorded": self.set_aside.recorded,
                "replayed": self.set_aside.replayed,
            },
            "decisions_met_twice": {"recorded": self.recorded_twice, "replayed": self.replayed_twice},
            "letters_no_longer_kept": self.letters_lost,
            "by_policy": self.by_policy(),
            "sends_per_hour": _beside(_per_hour(recorded, tasks=False), _per_hour(replayed, tasks=False)),
            "tasks_per_hour": _beside(_per_hour(recorded, tasks=True), _per_hour(replayed, tasks=True)),
            "customers": [
                {"customer_id": one, "hears_otherwise": one in hear_otherwise, **counts}
                for one, counts in _by_customer(found).items()
            ],
            "decisions": {
                "same": [_told(one) for one in found.same],
                "changed": [
                    {"fields": list(one.fields), "recorded": _told(one.recorded), "replayed": _told(one.replayed)}
                    for one in found.changed
                ],
                "only_recorded": [_told(one) for one in found.only_recorded],
                "only_replayed": [_told(one) for one in found.only_replayed],
            },
        }

    def as_json(self) -> str:
        """The data as text: of the same topics, range and playbook always the same bytes."""
        return json.dumps(self.as_data(), indent=2, ensure_ascii=False) + "\n"

    def versions(self) -> dict[str, dict[str, int]]:
        """By the playbook's version under which it was recorded: how many decisions, and what became of them."""
        found = self.difference
        sides = {
            "same": found.same,
            "changed": tuple(one.recorded for one in found.changed),
            "only_recorded": found.only_recorded,
        }
        counts = {side: Counter(one.decision.playbook_version for one in some) for side, some in sides.items()}
        versions = sorted(set().union(*counts.values()))
        return {version: {side: count[version] for side, count in counts.items()} for version in versions}

    def by_policy(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Policy, then side, then figures; see :func:`figures`."""
        recorded, replayed = _by_policy(self.difference.recorded), _by_policy(self.difference.replayed)
        return {
            policy: {"recorded": figures(recorded.get(policy, ())), "replayed": figures(replayed.get(policy, ()))}
            for policy in sorted(recorded.keys() | replayed.keys())
        }


def figures(decided: Iterable[Decided]) -> dict[str, Any]:
    """What was wanted, what became of it by kind and reason, and what the gestures in the letters come to.

    What is sent goes to the customer or, as a task, to staff; what is escalated is a task.

    ``wanted`` counts each outreach once, however often it was held before it was decided. The cost is that of every
    letter that was asked for, retracted or not.
    """
    decided = tuple(decided)
    wanted = {one.decision.outreach_id for one in decided if one.decision.kind is not DecisionKind.RETRACT}
    kinds: dict[str, dict[str, int]] = {kind: {} for kind in ("SEND", "ESCALATE", "HOLD", "SUPPRESS", "RETRACT")}
    for (kind, reason), count in sorted(Counter((d.decision.kind.value, d.decision.reason) for d in decided).items()):
        kinds.setdefault(kind, {})[reason] = count
    cost: dict[str, Decimal] = {}
    for one in decided:
        if one.request is not None and (gesture := one.request.gesture) is not None:
            cost[gesture.currency] = cost.get(gesture.currency, Decimal("0.00")) + gesture.cost
    return {
        "wanted": len(wanted),
        **{kind.lower(): reasons for kind, reasons in kinds.items()},
        "gesture_cost": {currency: str(sum_) for currency, sum_ in sorted(cost.items())},
    }


def iso(moment: datetime) -> str:
    """The moment in ISO 8601, UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _by_policy(decided: Iterable[Decided]) -> dict[str, list[Decided]]:
    found: dict[str, list[Decided]] = {}
    for one in decided:
        found.setdefault(one.decision.policy, []).append(one)
    return found


def _per_hour(decided: Iterable[Decided], *, tasks: bool) -> Counter[str]:
    hours = (one.decision.decided_at for one in decided if one.reaches and one.is_task is tasks)
    return Counter(f"{moment:%Y-%m-%dT%H:00Z}" for moment in hours)


def _beside(recorded: Mapping[str, int], replayed: Mapping[str, int]) -> dict[str, dict[str, int]]:
    names = sorted(recorded.keys() | replayed.keys())
    return {name: {"recorded": recorded.get(name, 0), "replayed": replayed.get(name, 0)} for name in names}


def _by_customer(found: Difference) -> dict[str, dict[str, int]]:
    sides: dict[str, Counter[str]] = {
        "changed": Counter(one.recorded.decision.customer_id for one in found.changed),
        "only_recorded": Counter(one.decision.customer_id for one in found.only_recorded),
        "only_replayed": Counter(one.decision.customer_id for one in found.only_replayed),
    }
    return {one: {side: count[one] for side, count in sides.items()} for one in found.customers}


def _told(one: Decided) -> dict[str, Any]:
    """A decision for the report. The letter's words and addresses are left out: a report is passed around."""
    decision, request = one.decision, one.request
    said: dict[str, Any] = {
        "decision_id": decision.decision_id,
        "decided_at": iso(decision.decided_at),
        "customer_id": decision.customer_id,
        "policy": decision.policy,
        "journey_id": decision.journey_id,
        "occasion": decision.occasion,
        "kind": decision.kind.value,
        "reason": decision.reason,
        "explanation": decision.explanation,
        "channel": decision.channel,
        "hold_until": _moment(decision.hold_until),
        "outreach_id": decision.outreach_id,
        "trigger_event_id": decision.trigger_event_id,
        "playbook_version": decision.playbook_version,
        "inputs": dict(sorted(decision.inputs.items())),
    }
    if request is not None:
        gesture = request.gesture
        said["letter"] = {
            "template": request.template,
            "locale": request.locale,
            "purpose": request.purpose.value,
            "useful_until": iso(request.useful_until),
            "due_at": _moment(request.due_at),
            "escalation": request.escalation,
            "gesture": None if gesture is None else gesture.code,
            "cost": None if gesture is None else str(gesture.cost),
            "currency": None if gesture is None else gesture.currency,
        }
    if one.retracted:
        said["takes_back"] = [taken_back.outreach_id for taken_back in one.retracted]
    return said


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
