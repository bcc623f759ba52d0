"""Checks that the sections of a playbook file are consistent. It reads the raw file, so invalid sections do not prevent
it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processors.playbook.faults import FieldPath, Misfit, field_of
from processors.policies.registry import installed, names


def disagreements(data: Any) -> Iterator[Misfit]:
    """Yield every conflict between sections."""
    yield from _replaced_gestures(data)
    yield from _contested(data)
    yield from _shared_seeds(data)
    for plugin in installed():
        yield from plugin.misfits(data)


def _replaced_gestures(data: Any) -> Iterator[Misfit]:
    """Yield gestures that an arm replaces but its policy does not give."""
    for place, experiment in _items(_at(data, "experiments"), "experiments"):
        policy = _at(experiment, "policy")
        if policy not in names():
            continue
        given = set(_codes(_at(data, policy)))
        for arm_place, arm in _items(_at(experiment, "arms"), *place, "arms"):
            gestures = _at(arm, "gestures")
            for code in gestures if isinstance(gestures, dict) else ():
                if code not in given:
                    known = ", ".join(sorted(given)) or "none"
                    yield (*arm_place, "gestures", code), f"{policy} gives no such gesture; it gives: {known}"


def _contested(data: Any) -> Iterator[Misfit]:
    """Yield gestures and letters that two experiments replace, since neither could then be measured."""
    taken: dict[tuple[str, str, str], str | int] = {}
    for (_, at), experiment in _items(_at(data, "experiments"), "experiments"):
        for arm_place, arm in _items(_at(experiment, "arms"), "experiments", at, "arms"):
            for what in ("gestures", "templates"):
                replaced = _at(arm, what)
                for usual in replaced if isinstance(replaced, dict) else ():
                    first = taken.setdefault((str(_at(experiment, "policy")), what, usual), at)
                    if first != at:
                        yield (*arm_place, what, usual), f"experiments.{first} replaces it too; put both into one"


def _shared_seeds(data: Any) -> Iterator[Misfit]:
    """Yield seeds that are used twice: both draws would select the same customers, and their effects could not be
    separated."""
    seen: dict[str, FieldPath] = {}
    for place, section in _drawn(data):
        seed = _at(section, "seed")
        if not isinstance(seed, str):
            continue
        if seed in seen:
            other = field_of(seen[seed])
            yield (*place, "seed"), f"{seed[:60]!r} is the seed of {other} too: both would pick the same customers"
        else:
            seen[seed] = place


def _drawn(data: Any) -> Iterator[tuple[FieldPath, Any]]:
    yield from (((policy,), _at(data, policy)) for policy in names())
    holdouts = _at(data, "holdouts")
    for name in holdouts if isinstance(holdouts, dict) else ():
        yield ("holdouts", name), holdouts[name]
    yield from _items(_at(data, "experiments"), "experiments")


def _codes(section: Any) -> Iterator[str]:
    """Yield the codes of all gestures in the section."""
    if isinstance(section, dict):
        if isinstance(code := section.get("code"), str):
            yield code
        for part in section.values():
            yield from _codes(part)
    elif isinstance(section, list):
        for part in section:
            yield from _codes(part)


def _at(data: Any, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else None


def _items(data: Any, *place: str | int) -> Iterator[tuple[FieldPath, Any]]:
    for at, item in enumerate(data if isinstance(data, list) else ()):
        yield (*place, at), item
