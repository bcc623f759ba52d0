"""Values in words, as a reader wants them: in the unit that fits their size, and without digits that say nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from deploy.grafana.model import Unit

_SIZES = ((86_400 * 2, 86_400, "d"), (7200, 3600, "h"), (120, 60, "min"), (1, 1, "s"))
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
_BEATS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def said(value: float, unit: Unit, decimals: int | None = None) -> str:
    """The value with its unit. ``decimals`` None: about three digits."""
    if unit is Unit.SECONDS:
        return _seconds(value, decimals)
    if unit is Unit.RATIO:
        return f"{_digits(value * 100, decimals)} %"
    if unit is Unit.BYTES:
        power = min(int(math.log(abs(value), 1024)), len(_BYTES) - 1) if abs(value) >= 1 else 0
        return f"{_digits(value / 1024**power, decimals)} {_BYTES[power]}"
    after = {Unit.PER_SECOND: " /s", Unit.PER_MINUTE: " /min", Unit.TIMES: "×"}.get(unit, "")
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if abs(value) >= size:
            return f"{_digits(value / (1e3 if letter == 'k' else size), decimals)} {letter}{after}"
    return _digits(value, decimals) + after


def _seconds(value: float, decimals: int | None) -> str:
    size = abs(value)
    if 0 < size < 1:
        return f"{_digits(value * 1000, None)} ms"
    for least, one, name in _SIZES:
        if size >= least:
            return f"{_digits(value / one, decimals)} {name}"
    return "0 s"


def _digits(value: float, decimals: int | None) -> str:
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text.replace("-", "−")


def named(legend: str, labels: Mapping[str, str]) -> str:
    """The legend with the labels' values; without one, the labels themselves."""
    if legend:
        return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
    return ", ".join(value for name, value in sorted(labels.items()) if name != "__name__")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values from ``low`` to at least ``high``, at most about ``most`` of them."""
    if high <= low:
        high = low + 1
    raw = (high - low) / max(most, 1)
    power = 10 ** math.floor(math.log10(raw))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def binary_ticks(high: float, most: int) -> list[float]:
    """The same for bytes: round in their unit."""
    power = 1024 ** (int(math.log(high, 1024)) if high >= 1 else 0)
    return [tick * power for tick in ticks(0, high / power, most)]


def time_ticks(begin: float, end: float, most: int) -> list[tuple[float, str]]:
    """Round points of time within the span, each with its label, in UTC."""
    beat = next((beat for beat in _BEATS if (end - begin) / beat <= most), _BEATS[-1])
    form = "%H:%M:%S" if beat < 60 else "%H:%M" if beat < 86_400 else "%d %b"
    first = math.ceil(begin / beat)
    return [
        (number * beat, datetime.fromtimestamp(number * beat, UTC).strftime(form))
        for number in range(first, math.floor(end / beat) + 1)
    ]
