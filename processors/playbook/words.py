"""Validates a playbook's texts, and the letters that it names, against what the dispatcher can write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processors.journey.playbook import WHY
from processors.language import LAST_RESORT, canonical, nearest
from processors.letters.sources import Sources
from processors.letters.texts import check_texts
from processors.playbook.faults import Misfit, field_of
from processors.playbook.languages import languages_of_why, missing, named_letters, readable_texts
from processors.policies.registry import names

_MOST_NAMED = 3


def misworded(data: Any) -> Iterator[Misfit]:
    """Yield texts that are not valid letters, letters that an arm names but nobody has written, and what the default
    language lacks. Invalid sections elsewhere do not prevent it."""
    texts = readable_texts(data)
    for fault in check_texts(texts):
        place = tuple(part for part in ("texts", fault.letter, fault.locale, fault.part) if part is not None)
        yield place, f"in its line {fault.line}: {fault.problem}" if fault.line else fault.problem
    for locale, whys in texts.get(WHY, {}).items():
        for policy in whys:
            if policy not in names():
                yield ("texts", WHY, locale, policy), f"is not a policy; there are {', '.join(names())}"
    for letter, locales in texts.items():
        policy, _, name = letter.partition("/")
        for locale in locales if name else ():
            if canonical(locale) is not None and nearest(locale, languages_of_why(texts, policy)) is None:
                yield ("texts", letter, locale), f"there is no why in this language; write texts.why.{locale}.{policy}"
    named = list(named_letters(data))
    letters = set(Sources(texts).letters()) if named else set()
    yield from ((place, f"there is no letter {letter}") for place, letter in named if letter not in letters)
    yield from _missing_in_default(data)


def _missing_in_default(data: Any) -> Iterator[Misfit]:
    """Yield what the default language lacks: customers whose language we do not write get it, so it must be
    complete."""
    default = data.get("default_locale") if isinstance(data, dict) else None
    if not isinstance(default, str) or canonical(default) is None:
        return  # the model reports it
    lacking = [place for place, _ in missing(data, default)]
    if nearest(default, [LAST_RESORT]):
        lacking = [place for place in lacking if place[0] == "texts"]  # the model reports gestures without English
    words = [field_of(place) for place in lacking if place[0] == "texts"]
    if words:
        more = f" and {len(words) - _MOST_NAMED} more" if len(words) > _MOST_NAMED else ""
        yield (
            ("default_locale",),
            f"not everything is written in {default}: {', '.join(words[:_MOST_NAMED])}{more} is missing",
        )
    yield from (
        (place[:-1], f"has no text in {default}, the default_locale") for place in lacking if place[0] != "texts"
    )
