"""Finds the languages in which a playbook's letters can be written, and what is missing for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from processors.journey.naming import policy_of
from processors.journey.playbook import FOOT, WHY
from processors.language import canonical, nearest
from processors.letters.sources import Sources, Texts, packaged
from processors.playbook.faults import FieldPath, Misfit
from processors.playbook.values import is_letter
from processors.policies.registry import installed, plugin_of


def languages_of(texts: Texts) -> Mapping[str, tuple[str, ...]]:
    """Return the language tags in which each letter, and FOOT, is written."""
    sources = Sources(texts)
    return {name: sources.languages(name) for name in (FOOT, *sources.letters())}


def languages_of_why(texts: Texts, policy: str) -> list[str]:
    """Return the language tags in which the policy's why is written."""
    known = plugin_of(policy)
    ours = [] if known is None else list(known.policy.why)
    return ours + [own for own, whys in texts.get(WHY, {}).items() if policy in whys]


def missing(data: Any, locale: str) -> Iterator[Misfit]:
    """Yield what a playbook file lacks for every letter to be written in ``locale``: texts of letters, the footer and
    whys that we do not provide either, and titles of gestures."""
    texts = readable_texts(data)
    sources = Sources(texts)
    policies = [plugin for plugin in installed() if isinstance(data, dict) and plugin.name in data]
    letters = {name for name in packaged() if policy_of(name) in {policy.name for policy in policies}}
    letters = {name for name in letters if not name.endswith("/words")} | {name for _, name in named_letters(data)}
    for name in (*sorted(letters), *([FOOT] if policies else ())):
        known = sources.languages(name)
        if known and nearest(locale, known) is None:
            yield ("texts", name, locale), f"there is none in {locale}"
    for policy in policies:
        if nearest(locale, languages_of_why(texts, policy.name)) is None:
            yield ("texts", WHY, locale, policy.name), f"there is none in {locale}"
    for place, titles in _titles(data):
        if nearest(locale, titles) is None:
            yield (*place, locale), f"there is none in {locale}"


def named_locales(data: Any) -> list[str]:
    """Return the tags of all languages that the file names."""
    texts = readable_texts(data)
    found = {locale for locales in texts.values() for locale in locales}
    found |= {locale for _, titles in _titles(data) for locale in titles}
    if isinstance(data, dict) and isinstance(data.get("default_locale"), str):
        found.add(data["default_locale"])
    return sorted({tag for locale in found if (tag := canonical(locale)) is not None})


def readable_texts(data: Any) -> Texts:
    """Return the texts that have the right structure; the model reports the others."""
    texts = data.get("texts") if isinstance(data, dict) else None
    return {
        letter: {
            str(locale): {part: text for part, text in parts.items() if isinstance(text, str)}
            for locale, parts in locales.items()
            if isinstance(parts, dict)
        }
        for letter, locales in (texts.items() if isinstance(texts, dict) else ())
        if isinstance(locales, dict) and isinstance(letter, str) and (letter in (FOOT, WHY) or is_letter(letter))
    }


def named_letters(data: Any) -> Iterator[tuple[FieldPath, str]]:
    """Yield the letters that arms send instead of the usual ones."""
    for at, experiment in enumerate(_list(data, "experiments")):
        for number, arm in enumerate(_list(experiment, "arms")):
            templates = arm.get("templates") if isinstance(arm, dict) else None
            for usual, instead in templates.items() if isinstance(templates, dict) else ():
                if isinstance(instead, str) and is_letter(instead):
                    yield ("experiments", at, "arms", number, "templates", usual), instead


def _titles(data: Any, place: FieldPath = ()) -> Iterator[tuple[FieldPath, list[str]]]:
    """Yield the languages of every gesture's title in the file."""
    if isinstance(data, dict):
        if isinstance(data.get("code"), str) and isinstance(data.get("title"), dict):
            yield (*place, "title"), [key for key in data["title"] if isinstance(key, str)]
        for name, part in data.items():
            if not (place == () and name == "texts"):
                yield from _titles(part, (*place, name))
    elif isinstance(data, list):
        for at, part in enumerate(data):
            yield from _titles(part, (*place, at))


def _list(data: Any, name: str) -> list[Any]:
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []
