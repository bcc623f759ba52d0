"""Chooses the language of a text: looks up BCP 47 tags by RFC 4647, with CLDR's data. Pure.

The same lookup serves letters, gestures, whys, feet, pages and headers, so that a letter is in one language.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

LAST_RESORT = "en"
"""The language in which every text exists."""

_SUBTAG = re.compile(r"[A-Za-z0-9]{1,8}")


@lru_cache(maxsize=4_096)
def locale_of(tag: str) -> Locale | None:
    """The best known locale for a BCP 47 tag (``es-MX-x-home`` is ``es_MX``), or None.

    Case does not matter, ``_`` counts as ``-``, and an encoding or modifier (``de_DE.UTF-8``) is ignored.
    """
    parts = re.split(r"[.@]", tag.strip())[0].replace("_", "-").split("-")
    if not _SUBTAG.fullmatch(parts[0]):
        return None
    parts[0] = get_global("language_aliases").get(parts[0].lower(), parts[0].lower())
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("_".join(parts[:length]))
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return None


def canonical(tag: str) -> str | None:
    """The normal form of a tag: ``de_at`` becomes ``de-AT``; None for an unknown language."""
    known = locale_of(tag)
    return None if known is None else "-".join(filter(None, (known.language, known.script, known.territory)))


@lru_cache(maxsize=4_096)
def steps(tag: str) -> tuple[str, ...]:
    """The tags that may replace a tag, nearest first: ``es-MX``, ``es-419``, ``es``. () for an unknown language.

    The script never changes: ``zh-Hant-TW`` ends with ``zh-Hant``, because ``zh`` is written in the other script.
    """
    known = locale_of(tag)
    found: list[str] = []
    while known is not None:
        found.append(_shortest(known))
        known = _parent(known)
    return tuple(dict.fromkeys(found))


def nearest(tag: str, written: Collection[str]) -> str | None:
    """The tag in ``written`` (in any spelling) that is nearest to ``tag``; None if none has its language and script."""
    return _nearest(tag, tuple(written))


def spoken(wanted: str | None, default: str, *pieces: Collection[str]) -> str:
    """The tag of a language in which all pieces exist, each given as the tags of its languages: the wanted one, else
    the default, else English. It keeps its region, which decides the format of dates and numbers."""
    return _spoken(wanted, default, *map(tuple, pieces))


# Customers speak few languages, so letters repeat the same lookups.
@lru_cache(maxsize=4_096)
def _nearest(tag: str, written: tuple[str, ...]) -> str | None:
    index = _index(written)
    return next((index[step] for step in steps(tag) if step in index), None)


@lru_cache(maxsize=4_096)
def _spoken(wanted: str | None, default: str, *pieces: tuple[str, ...]) -> str:
    for tag in (wanted, default):
        if tag and (known := canonical(tag)) is not None and all(_nearest(tag, piece) for piece in pieces):
            return known
    return LAST_RESORT


@lru_cache(maxsize=4_096)
def is_right_to_left(tag: str) -> bool:
    """Whether the language is written from right to left."""
    known = locale_of(tag)
    return known is not None and known.text_direction == "rtl"


@lru_cache(maxsize=1_024)
def _index(written: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in written:
        if (known := locale_of(tag)) is not None:
            found.setdefault(_shortest(known), tag)
    return found


def _shortest(locale: Locale) -> str:
    """The tag without a script that is the language's default: ``zh`` for ``zh-Hans``; ``zh-Hant-TW`` keeps it."""
    script = locale.script if locale.script != _usual_script(locale.language) else None
    return "-".join(filter(None, (locale.language, script, locale.territory)))


def _usual_script(language: str) -> str | None:
    likely = get_global("likely_subtags").get(language, "").split("_")
    return next((part for part in likely[1:] if len(part) == 4), None)


def _parent(locale: Locale) -> Locale | None:
    script = locale.script or _usual_script(locale.language)
    named = get_global("parent_exceptions").get(str(locale))
    if named is not None:
        parent = Locale.parse(named)
        # hi_Latn has the parent en_IN, and ht has fr_HT: fine for dates, but text in another language; nb has no
        kin = parent.language == locale.language or parent.territory is None
        return parent if kin and (parent.script or _usual_script(parent.language)) == script else None
    if locale.territory is not None:
        shorter = Locale(locale.language, script=locale.script)
        return shorter if (shorter.script or _usual_script(shorter.language)) == script else None
    if locale.script is not None and locale.script == _usual_script(locale.language):
        return Locale(locale.language)
    return None
