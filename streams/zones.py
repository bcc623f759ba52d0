"""Resolves the time zone names that publishers write, both when events are checked and when letters are written."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections import defaultdict
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from streams.zone_names import COMMON, HALF_HOURS

_DATA: dict[str, Any] = json.loads(files("streams").joinpath("zones.json").read_text(encoding="utf-8"))
"""Zones, links and Windows names, from the versions of the tz database and CLDR that the file was generated from."""

_AREAS = {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
_DIRECTIONS = {"north", "south", "west"}  # parts of Australia; ambiguous by themselves
_PREFIX = re.compile(r"^\((?:UTC|GMT)(?:\s*[+-]?\d{1,2}:?\d{0,2})?\)\s*(?P<rest>.+)$", re.IGNORECASE)
_OFFSET = re.compile(r"^(?:UTC|GMT)?\s*(?P<sign>[+-])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?$", re.IGNORECASE)
_WEST, _EAST = 12, 14  # hours: the largest fixed offsets from UTC for which the database has zones
_LONGEST = 100  # characters; no zone has such a long name
_SHORTEST = 5  # characters
_REMEMBERED = 4096


@lru_cache(maxsize=_REMEMBERED)
def zone_named(name: str) -> str | None:
    """Return the IANA zone that a publisher means; None if the name is unknown.

    Known are the names of the tz database and the old names they replace, in any case and with spaces for underscores;
    the names of Windows, with or without the offset before them; those of Rails; the database's cities; and fixed
    offsets such as ``UTC-3`` or ``GMT+02:00``, which become places that never change their clocks. ``Etc/GMT+3`` keeps
    its own meaning: three hours *behind* UTC.
    """
    if len(name) > _LONGEST:
        return None
    if (known := _INDEX.get(_folded(name))) is not None:
        return known
    text = _plain(name)
    if (shown := _PREFIX.match(text)) is not None:
        parts = (shown["rest"], *shown["rest"].split(","))
        return next((zone for part in parts if (zone := _INDEX.get(_folded(part))) is not None), None)
    return _fixed(text)


def as_iana(name: str | None) -> str | None:
    """Return the IANA zone that is meant; an unknown name is returned unchanged, so that it can be shown."""
    return name if name is None else zone_named(name) or name


@lru_cache(maxsize=_REMEMBERED)
def nearest_zones(name: str, most: int = 3) -> tuple[str, ...]:
    """Return IANA zones with the names or aliases most similar to this one; () if none is similar."""
    if len(name) > _LONGEST or len(name.strip()) < _SHORTEST or _OFFSET.match(_plain(name)):
        return ()  # an abbreviation or an offset could mean several zones
    shown = _PREFIX.match(_plain(name))
    wanted = _folded(name if shown is None else shown["rest"])
    found = difflib.get_close_matches(wanted, _INDEX, n=most * 3, cutoff=0.6)
    return tuple(dict.fromkeys(_INDEX[one] for one in found))[:most]


def unknown_zone(name: str) -> str:
    """Return the error message for a name that :func:`zone_named` does not know."""
    meant = nearest_zones(name)
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."
    advice = f"did you mean {' or '.join(meant)}?" if meant else "use an IANA name, such as America/New_York"
    return f"{shown!r} is not a time zone; {advice}"


def _fixed(text: str) -> str | None:
    """Return the zone of a place that always has this offset from UTC."""
    if (offset := _OFFSET.match(text)) is None:
        return None
    ahead = 1 if offset["sign"] == "+" else -1
    hours, minutes = int(offset["hours"]), int(offset["minutes"] or 0)
    if minutes:
        return HALF_HOURS.get((ahead * hours, ahead * minutes))
    if hours > (_EAST if ahead > 0 else _WEST):
        return None
    if hours == 0:
        return "UTC"
    return f"Etc/GMT{'-' if ahead > 0 else '+'}{hours}"  # the database counts hours west of UTC as positive


def _plain(name: str) -> str:
    return " ".join(name.replace("\u2212", "-").replace("_", " ").split())


def _folded(name: str) -> str:
    """Return the name without differences in case, accents, underscores, dots and apostrophes."""
    letters = unicodedata.normalize("NFKD", _plain(name))
    return "".join(one for one in letters if not unicodedata.combining(one) and one not in ".'\u2019").casefold()


def _cities(zones: dict[str, str]) -> dict[str, str]:
    """Return zones by the last part of their name, if only one zone has it."""
    meant: defaultdict[str, set[str]] = defaultdict(set)
    for name, zone in zones.items():
        if name.partition("/")[0] in _AREAS:
            meant[_folded(name.rpartition("/")[2])].add(zone)
    return {city: next(iter(found)) for city, found in meant.items() if len(found) == 1 and city not in _DIRECTIONS}


def _indexed() -> dict[str, str]:
    zones = {name: name for name in _DATA["zones"]}
    index = _cities(zones | _DATA["links"])
    for names in (COMMON, _DATA["windows"], _DATA["links"], zones):  # later ones take precedence
        index |= {_folded(name): zone for name, zone in names.items()}
    return index


_INDEX = _indexed()


@cache
def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone with that name; None if the name is unknown."""
    try:
        return ZoneInfo(zone_named(name) or name)
    except (KeyError, OSError, ValueError):  # not found; a folder of the database; an invalid name
        return None
