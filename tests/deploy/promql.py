"""What stands in a PromQL expression: metrics with the labels they are asked for, numbers, durations.

It reads the expressions that this project writes; whether they parse is promtool's to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_CLAUSE = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_METRIC = re.compile(r"(?<![\w:$])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?(?!\s*\()(?![\w:])")
_WORDS = frozenset({"and", "or", "unless", "by", "without", "on", "ignoring", "offset", "bool", "inf", "nan"})
_LABEL = re.compile(r'\s*(\w+)\s*(?:=~|!~|!=|=)\s*"(\d+)"')
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_PRODUCT = rf"{_NUMBER}(?:\s*\*\s*{_NUMBER})*"
_BOUND = re.compile(rf'\ble=~?"({_NUMBER})(?:\(\\\\\.0\)\?)?"')
_SIZES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


def seconds(duration: str) -> float:
    """A duration of Prometheus, such as ``1h30m``, in seconds."""
    return sum(float(count) * _SIZES[unit] for count, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))


def selectors(expr: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every metric with the labels that its selector names, and what each is compared with."""
    strings: list[str] = []

    def counted(string: re.Match[str]) -> str:
        strings.append(string[0][1:-1])
        return f'"{len(strings) - 1}"'

    plain = _CLAUSE.sub(" ", re.sub(r"\[[^\]]*\]", " ", _STRING.sub(counted, expr)))
    for match in _METRIC.finditer(plain):
        if match[1] not in _WORDS and not _DURATION.fullmatch(match[1]):
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
