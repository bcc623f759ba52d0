"""Converts a playbook to plain values, named as in its file, and compares two playbooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from processors.journey.playbook import GestureOffer, Playbook
from processors.policies.registry import installed
from streams import durations

_FILE_NAMES = {"team_zones": "team_time_zones"}
"""Names that differ between the playbook and its file."""

_NOT_IN_FILES = frozenset({"version", "rules", "policies", "languages"})
"""Fields that are written as sections, or derived."""


def as_data(playbook: Playbook) -> dict[str, Any]:
    """Return the playbook as JSON and YAML values, without what is not set. Written to a file, it loads again."""
    sections = {
        plugin.name: _plain(plugin.as_section(rules))
        for plugin in installed()
        if (rules := playbook.rules_of(plugin.rules)) is not None
    }
    others = {part.name: getattr(playbook, part.name) for part in fields(playbook) if part.name not in _NOT_IN_FILES}
    return sections | {_FILE_NAMES.get(name, name): _plain(one) for name, one in others.items() if one is not None}


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            return durations.written(value)
        case Enum():
            return value.value
        case Decimal():
            return str(value)
        case time():
            return value.isoformat("minutes")
        case Mapping():
            return {key: _plain(one) for key, one in value.items()}
        case tuple() | list():
            return [_plain(one) for one in value]
        case frozenset():
            return sorted(_plain(one) for one in value)
        case _ if is_dataclass(value):
            found = ((part.name, getattr(value, part.name)) for part in fields(value))
            named = {name: _plain(one) for name, one in found if one is not None}
            if isinstance(value, GestureOffer):
                del named["currency"]  # it is the playbook's currency
            return named
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs between two playbooks; None if one of them has none."""

    path: str
    old: Any
    new: Any


_NAMED_BY: Mapping[str, Callable[[Any], str]] = {
    "gestures": lambda one: str(one["code"]),
    "arms": lambda one: str(one["name"]),
    "experiments": lambda one: str(one["key"]),
    "caps": lambda one: ", ".join(filter(None, (one["purpose"], one.get("channel"), one["window"]))),
    "budgets": lambda one: str(one["window"]),
    "gesture_budgets": lambda one: str(one["window"]),
}
"""Lists whose items are compared by name, regardless of their position."""

_ORDER_MATTERS = {"arms", "experiments"}


def changes(old: Playbook, new: Playbook) -> tuple[Change, ...]:
    """Return the differences between two playbooks, field by field, regardless of how and in which order they are
    written."""
    before, after = dict(_leaves(as_data(old))), dict(_leaves(as_data(new)))
    paths = [*before, *(path for path in after if path not in before)]
    return tuple(
        Change(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    )


def _leaves(data: Any, path: str = "", name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key), str(key))
    elif isinstance(data, Sequence) and name in _NAMED_BY:
        names = [_NAMED_BY[name](one) for one in data]
        if name in _ORDER_MATTERS and len(names) > 1:
            yield f"{path} (order)", names
        for one, value in zip(names, data, strict=True):
            yield from _leaves(value, f"{path}[{one}]")
    else:
        yield path, data
