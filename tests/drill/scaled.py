"""The project's own rules with every duration divided by one factor, so that a drive takes minutes instead of days.

Changed are ``for``, ``keep_firing_for``, a group's ``interval``, range windows (``[5m]``), subqueries and offsets.
Thresholds, names, labels and words stay; ``differences`` says where two files of rules differ in anything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.promql import DURATION, millis

_TOKENS = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<comment>\#[^\n]*)"""
    r"""|(?P<window>\[[^\]]*\])|(?P<offset>\boffset\s+-?\s*(?:\d+(?:ms|[smhdwy]))+)"""
)
_OF_A_RULE = ("for", "keep_firing_for")
SHORTEST = 3_000
"""Milliseconds of a window that holds three scrapes, of which two are left if one is late."""
_OFTEN = 1_000
Change = Callable[[str], str]


def scaled_duration(duration: str, factor: int, *, at_least: int = 0) -> str:
    """The duration divided by the factor, in milliseconds."""
    return f"{max(at_least, round(millis(duration) / factor))}ms"


def scaled_expression(expression: str, factor: int) -> str:
    """The expression with every range window and offset divided by the factor.

    Raises ValueError if a window would hold too few scrapes to say anything.
    """
    return _durations(expression, lambda text: _window(text, factor))


def scaled(rules: Mapping[str, Any], factor: int) -> dict[str, Any]:
    """The groups of a file of rules, every duration divided by the factor."""
    groups = []
    for group in rules["groups"]:
        changed = dict(group)
        if "interval" in changed:
            changed["interval"] = scaled_duration(changed["interval"], factor, at_least=_OFTEN)
        changed["rules"] = [_scaled_rule(rule, factor) for rule in group["rules"]]
        groups.append(changed)
    return {**rules, "groups": groups}


def scaled_routes(routes: Mapping[str, Any], factor: int) -> dict[str, Any]:
    """Alertmanager's configuration, its waits and intervals divided by the factor."""

    def of(route: Mapping[str, Any]) -> dict[str, Any]:
        changed = {
            name: scaled_duration(value, factor) if name.startswith(("group_wait", "group_int", "repeat_")) else value
            for name, value in route.items()
        }
        return changed | ({"routes": [of(child) for child in route["routes"]]} if "routes" in route else {})

    return {**routes, "route": of(routes["route"])}


def write_scaled(source: Path, target: Path, factor: int) -> list[Path]:
    """Write every file of rules of ``source`` to ``target``, scaled. Raises ValueError if one would differ in more."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.yml"):
        old.unlink()
    written = []
    for file in sorted(source.glob("*.yml")):
        ours = yaml.safe_load(file.read_text(encoding="utf-8"))
        file_scaled = target / file.name
        file_scaled.write_text(yaml.safe_dump(scaled(ours, factor), sort_keys=False, width=10_000), encoding="utf-8")
        if wrong := list(differences(ours, yaml.safe_load(file_scaled.read_text(encoding="utf-8")), factor)):
            raise ValueError(f"{file.name} is not the same but for its durations: {'; '.join(wrong)}")
        written.append(file_scaled)
    return written


def differences(ours: Any, theirs: Any, factor: int, at: str = "") -> Iterator[str]:
    """Where ``theirs`` is anything but ``ours`` with the durations divided by the factor; nothing if it is nowhere."""
    name = at.rpartition("/")[2]
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in sorted({*ours, *theirs}):
            if key not in ours or key not in theirs:
                yield f"{at}/{key} is only in {'the scaled file' if key in theirs else 'ours'}"
            else:
                yield from differences(ours[key], theirs[key], factor, f"{at}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, factor, f"{at}/{number}")
    elif name in (*_OF_A_RULE, "interval") and isinstance(theirs, str):
        least = _OFTEN if name == "interval" else 0
        if millis(theirs) != max(least, round(millis(ours) / factor)):
            yield f"{at}: {ours} became {theirs}, and the factor is {factor}"
    elif name == "expr" and isinstance(theirs, str):
        yield from _expression_differences(ours, theirs, factor, at)
    elif ours != theirs:
        yield f"{at}: {json.dumps(ours)} became {json.dumps(theirs)}"


def _expression_differences(ours: str, theirs: str, factor: int, at: str) -> Iterator[str]:
    mine: list[int] = []
    other: list[int] = []

    def noting(found: list[int]) -> Change:
        def note(text: str) -> str:
            found.append(millis(text))
            return "_"

        return note

    if _durations(ours, noting(mine)) != _durations(theirs, noting(other)):
        yield f"{at}: the expression was changed in more than its durations"
    elif [round(one / factor) for one in mine] != other:
        yield f"{at}: windows of {mine} ms became {other}, and the factor is {factor}"


def _scaled_rule(rule: Mapping[str, Any], factor: int) -> dict[str, Any]:
    changed = dict(rule) | {"expr": scaled_expression(rule["expr"], factor)}
    return changed | {name: scaled_duration(rule[name], factor) for name in _OF_A_RULE if name in rule}


def _window(text: str, factor: int) -> str:
    found = scaled_duration(text, factor)
    if millis(found) < SHORTEST:
        raise ValueError(f"a window of {text} would be {found}, too short for scrapes a second apart")
    return found


def _durations(expression: str, change: Change) -> str:
    """The expression with each duration of a window or an offset changed; texts and comments are left alone."""

    def token(match: re.Match[str]) -> str:
        if match["window"] is None and match["offset"] is None:
            return match[0]
        return DURATION.sub(lambda found: change(found[0]), match[0])

    return _TOKENS.sub(token, expression)
