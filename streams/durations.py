"""Formats and parses durations: ``3h`` in settings, ``3 h 20 min`` and ``3 hours`` for people, whole minutes and
milliseconds for libraries. Internally, a duration is a ``timedelta``."""

from __future__ import annotations

import re
from datetime import timedelta

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_UNITS = {"d": ("day", DAY), "h": ("hour", HOUR), "m": ("minute", MINUTE), "s": ("second", timedelta(seconds=1))}
_WRITTEN = re.compile(r"([0-9]+)([smhd])")
_DIGITS = 9


def parse(text: str) -> timedelta:
    """Parse ``30s``, ``5m``, ``2h`` or ``1d``; a value beyond the range gives the longest timedelta. Raises
    ValueError."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write 30m, 2h or 1d")
    return int(found[1]) * _UNITS[found[2]][1] if len(found[1]) < _DIGITS else timedelta.max


def written(length: timedelta) -> str:
    """Format a duration as :func:`parse` reads it, in the largest unit that fits: 30m, 2h, 1d."""
    letter, (_, unit) = _fitting(length)
    return f"{length // unit}{letter}"


def spelled(length: timedelta) -> str:
    """Format a duration in words, in the largest unit that fits: 30 minutes, 2 hours, 1 day; zero is 0 seconds."""
    name, unit = _fitting(length)[1] if length else _UNITS["s"]
    count = length // unit
    return f"{count} {name}{'' if count == 1 else 's'}"


def span(length: timedelta) -> str:
    """Format a duration to the minute, as ``25 min`` or ``2 h 05 min``, from two days on ``3 days``; a negative one is
    0 min."""
    minutes = max(0, round(length / MINUTE))
    if minutes >= 48 * 60:
        return f"{minutes // (24 * 60)} days"
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def in_hours(length: timedelta) -> str:
    """Format a duration in hours: 24, 0.5."""
    return f"{length / HOUR:g}"


def whole_minutes(length: timedelta) -> int:
    """Return the whole minutes, rounded down, also below zero."""
    return length // MINUTE


def whole_millis(length: timedelta) -> int:
    """Return the whole milliseconds, rounded down, as Kafka and sockets take them."""
    return length // timedelta(milliseconds=1)


def _fitting(length: timedelta) -> tuple[str, tuple[str, timedelta]]:
    """Return the largest unit that the duration is a multiple of; the second if there is none."""
    return next((one for one in _UNITS.items() if not length % one[1][1]), ("s", _UNITS["s"]))
