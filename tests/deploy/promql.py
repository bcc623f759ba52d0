"""What stands in a PromQL expression: metrics with the labels they are asked for, numbers, durations.

It reads the expressions that this project writes; whether they parse is promtool's to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_CLAUSE = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_METRIC = re.compile(r"(?<![\w:$])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?(?!\s*\()(?![\w:])")
_WORDS = frozenset({"and", "or", "unless", "by", "without", "on", "ignoring", "offset", "bool", "inf", "nan"})
_LABEL = re.compile(r'\s*(\w+)\s*(?:=~|!~|!=|=)\s*"(\d+)"')
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_PRODUCT = rf"{_NUMBER}(?:\s*\*\s*{_NUMBER})*"
_BOUND = re.compile(rf'\ble=~?"({_NUMBER})(?:\(\\\\\.0\)\?)?"')
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}


def millis(duration: str) -> int:
    """Milliseconds of a duration in Prometheus's words, ``1h30m``. Raises ValueError."""
    if not DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is no duration")
    return sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(duration))


def seconds(duration: str | None) -> float:
    """Seconds of a duration; 0 for none. Raises ValueError."""
    return millis(duration) / 1_000 if duration else 0.0


def selectors(expr: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every metric with the labels that its selector names, and what each is compared with."""
    strings: list[str] = []

    def counted(string: re.Match[str]) -> str:
        strings.append(string[0][1:-1])
        return f'"{len(strings) - 1}"'

    plain = _CLAUSE.sub(" ", re.sub(r"\[[^\]]*\]", " ", _STRING.sub(counted, expr)))
    for match in _METRIC.finditer(plain):
        if match[1] not in _WORDS and not DURATION.fullmatch(match[1]):
            yield match[1], {label: strings[int(number)] for label, number in _LABEL.findall(match[2] or "")}


def named(expr: str) -> set[str]:
    """Every metric, and every recorded name."""
    return {name for name, _ in selectors(expr)}


def durations(expr: str) -> Iterator[float]:
    """Windows and offsets, in seconds."""
    plain = _STRING.sub('""', expr)
    for found in re.findall(r"\[([^\]:]*)", plain) + re.findall(r"\boffset\s+(\w+)", plain):
        yield seconds(found)


def literals(expr: str, *, compared: bool = False) -> Iterator[float]:
    """Numbers, the products that are written out of them, and the bounds of buckets. ``compared``: only those, as
    products, with which something is compared."""
    plain = re.sub(r"\[[^\]]*\]|\boffset\s+\w+", " ", _STRING.sub('""', expr))
    comparison = r"(?:[<>]=?|==|!=)\s*" if compared else r"(?<![\w.:])"
    for found in re.findall(rf"{comparison}({_PRODUCT})(?![\w:.])", plain):
        factors = [float(number) for number in re.split(r"\s*\*\s*", found)]
        yield math.prod(factors)
        if not compared:
            yield from factors
    if not compared:
        yield from (float(bound) for bound in _BOUND.findall(expr))
