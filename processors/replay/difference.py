"""What differs between what was decided and what would be: decision by decision, and customer by customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from processors.replay.recorded import Decided
from streams.events import Decision

_BEFORE = "playbook_before"
_OF_THE_PLAYBOOK = ("playbook_version", "inputs")
_EXPLANATION = "explanation"


@dataclass(frozen=True, slots=True)
class Changed:
    """The same decision by its identity, but something else in it or in its letter. ``fields`` names what."""

    recorded: Decided
    replayed: Decided
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Every decision of either side, each in the order of time, then customer, then identity.

    ``reworded``: of ``same`` those under one playbook whose explanation has other words, as another version of
    Careline wrote them.
    """

    same: tuple[Decided, ...]
    changed: tuple[Changed, ...]
    only_recorded: tuple[Decided, ...]
    only_replayed: tuple[Decided, ...]
    reworded: int = 0

    def __bool__(self) -> bool:
        return bool(self.changed or self.only_recorded or self.only_replayed)

    @property
    def recorded(self) -> tuple[Decided, ...]:
        """What was decided. Of decisions that are the same only one side is kept; it serves both."""
        return in_order((*self.same, *(one.recorded for one in self.changed), *self.only_recorded))

    @property
    def replayed(self) -> tuple[Decided, ...]:
        """What would be decided."""
        return in_order((*self.same, *(one.replayed for one in self.changed), *self.only_replayed))

    @property
    def customers(self) -> tuple[str, ...]:
        """Those about whom something else would be decided, in order."""
        sides = (*self.only_recorded, *self.only_replayed, *(one.recorded for one in self.changed))
        return tuple(sorted({one.decision.customer_id for one in sides}))

    def hear_otherwise(self) -> frozenset[str]:
        """Of these the ones who would hear something else, or at another time, or not at all."""
        before, after = heard(self.recorded), heard(self.replayed)
        return frozenset(one for one in self.customers if before.get(one) != after.get(one))


def difference(recorded: Mapping[str, Decided], replayed: Mapping[str, Decided]) -> Difference:
    """The difference; both by decision id.

    Under one playbook nothing may differ except the words of an explanation, which are counted, and the earlier
    playbook that a decision names where a new one came into force. Between two playbooks their versions differ, and
    the rules that a decision names among its inputs; neither is a difference in what was decided.
    """
    same: list[Decided] = []
    changed: list[Changed] = []
    reworded = 0
    for one in recorded.keys() & replayed.keys():
        fields = _differing(recorded[one], replayed[one])
        if fields:
            changed.append(Changed(recorded[one], replayed[one], fields))
        else:
            same.append(recorded[one])
            reworded += _reworded(recorded[one].decision, replayed[one].decision)
    return Difference(
        same=in_order(same),
        changed=tuple(sorted(changed, key=lambda pair: _order(pair.recorded))),
        only_recorded=in_order(recorded[one] for one in recorded.keys() - replayed.keys()),
        only_replayed=in_order(replayed[one] for one in replayed.keys() - recorded.keys()),
        reworded=reworded,
    )


def heard(decided: Iterable[Decided]) -> dict[str, list[tuple[str, ...]]]:
    """By customer what they hear, in order: when, about what, by which channel, with which gesture.

    Tasks are for staff; customers do not receive them.
    """
    found: dict[str, list[tuple[str, ...]]] = {}
    for one in decided:
        decision = one.decision
        if not one.reaches or one.is_task:
            continue
        said = [decision.decided_at.isoformat(), decision.policy, decision.journey_id, decision.occasion]
        said.append(decision.channel or "")
        if one.request is not None:
            gesture = one.request.gesture
            said += [one.request.template, "" if gesture is None else f"{gesture.code} {gesture.cost}"]
        found.setdefault(decision.customer_id, []).append(tuple(said))
    return found


def in_order(decided: Iterable[Decided]) -> tuple[Decided, ...]:
    """By time, then customer, then identity."""
    return tuple(sorted(decided, key=_order))


def _order(one: Decided) -> tuple[Any, ...]:
    return (one.decision.decided_at, one.decision.customer_id, one.decision.decision_id)


def _differing(recorded: Decided, replayed: Decided) -> tuple[str, ...]:
    fields = _fields("", recorded.decision, replayed.decision)
    if recorded.whole:
        fields += _fields("request.", recorded.request, replayed.request)
        fields += [] if recorded.retracted == replayed.retracted else ["retracted"]
    return tuple(fields)


def _fields(prefix: str, recorded: Any, replayed: Any) -> list[str]:
    if recorded is None or replayed is None:
        return [] if recorded is replayed else [prefix.rstrip(".")]
    passed_over = () if recorded.playbook_version == replayed.playbook_version else _OF_THE_PLAYBOOK
    names = (name for name in recorded.__struct_fields__ if name not in passed_over and name != _EXPLANATION)
    return [prefix + name for name in names if _of(recorded, name) != _of(replayed, name)]


def _reworded(recorded: Decision, replayed: Decision) -> bool:
    return recorded.playbook_version == replayed.playbook_version and recorded.explanation != replayed.explanation


def _of(record: Any, name: str) -> Any:
    value = getattr(record, name)
    return {key: said for key, said in value.items() if key != _BEFORE} if name == "inputs" else value
