"""Words that a playbook brings, and letters that it names: held against what the dispatcher can write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from processors.outreach.sources import Sources, Texts
from processors.outreach.texts import check_texts
from processors.playbook.faults import Misfit, Place
from processors.playbook.values import LETTER


def misworded(data: Any) -> Iterator[Misfit]:
    """Texts that are no letters, and letters that an arm names and nobody has written. However wrong the rest is."""
    texts = _readable(data)
    for fault in check_texts(texts):
        place = tuple(part for part in ("texts", fault.letter, fault.locale, fault.part) if part is not None)
        yield place, f"in its line {fault.line}: {fault.problem}" if fault.line else fault.problem
    named = list(_named(data))
    letters = set(Sources(texts).letters()) if named else set()
    yield from ((place, f"there is no letter {letter}") for place, letter in named if letter not in letters)


def _readable(data: Any) -> Texts:
    """The texts as far as they have the shape of texts; what has not is told by the model."""
    texts = data.get("texts") if isinstance(data, dict) else None
    return {
        letter: {
            locale: {part: text for part, text in parts.items() if isinstance(text, str)}
            for locale, parts in locales.items()
            if isinstance(parts, dict)
        }
        for letter, locales in (texts.items() if isinstance(texts, dict) else ())
        if isinstance(locales, dict) and re.fullmatch(LETTER, letter)
    }


def _named(data: Any) -> Iterator[tuple[Place, str]]:
    """The letters that arms write instead of the usual ones."""
    for at, experiment in enumerate(_list(data, "experiments")):
        for number, arm in enumerate(_list(experiment, "arms")):
            templates = arm.get("templates") if isinstance(arm, dict) else None
            for usual, instead in templates.items() if isinstance(templates, dict) else ():
                if isinstance(instead, str) and re.fullmatch(LETTER, instead):
                    yield ("experiments", at, "arms", number, "templates", usual), instead


def _list(data: Any, name: str) -> list[Any]:
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []
