"""Checks the texts of a playbook before they are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from processors.journey.playbook import FOOT, WHY
from processors.language import canonical, nearest
from processors.letters.examples import example_items, examples
from processors.letters.sources import ALWAYS, FOOT_PARTS, FOOT_VARIABLES, NEEDED, PARTS, SourceFault, Sources, Texts

_NAME = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
_NO_FOOT = "there is no foot in this language; write it too, as texts.foot.{locale}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFault:
    """A fault in a playbook's texts, and its place. ``locale`` and ``part`` are None if the fault concerns more than
    one; ``line`` counts within the text, from 1."""

    letter: str
    locale: str | None = None
    part: str | None = None
    line: int | None = None
    problem: str

    def __str__(self) -> str:
        """``texts.delay_care/notice.de.body, line 3: a loop is not allowed in letters``."""
        path = ".".join(filter(None, ("texts", self.letter, self.locale, self.part)))
        return f"{path}{f', line {self.line}' if self.line else ''}: {self.problem}"


def check_texts(texts: Texts) -> list[TextFault]:
    """Every fault in ``texts`` (text by letter, locale and part); [] if there is none.

    ``check_texts(texts: Mapping[str, Mapping[str, Mapping[str, str]]]) -> list[TextFault]``. ``Templates(texts=texts)``
    accepts texts without a fault. A text may override single parts of a letter of the package; a new letter, or one in
    a language that the package's letter does not have, needs at least subject and body. A variable that the package's
    letter of that name does not have is a fault, because such a letter could never be sent. So is a letter in a
    language without a foot, because its foot would be in another language.
    """
    sources = Sources()
    faults: list[TextFault] = []
    for letter, locales in texts.items():
        if letter not in (FOOT, WHY) and not _NAME.fullmatch(letter):
            faults.append(TextFault(letter=letter, problem="not the name of a letter, such as delay_care/notice"))
            continue
        seen: dict[str, str] = {}
        feet = [*sources.languages(FOOT), *texts.get(FOOT, {})]
        for locale, parts in locales.items():
            found = _of_letter(sources, letter, locale, parts, seen)
            if not found and letter not in (FOOT, WHY) and not nearest(locale, feet):
                found = [TextFault(letter=letter, locale=locale, problem=_NO_FOOT.format(locale=locale))]
            faults += found
    return faults


def _of_letter(
    sources: Sources, letter: str, locale: str, parts: Mapping[str, str], seen: dict[str, str]
) -> list[TextFault]:
    tag = canonical(locale)
    if tag is None:
        return [TextFault(letter=letter, locale=locale, problem="not a known language, such as de or de-AT")]
    if tag in seen:
        return [TextFault(letter=letter, locale=locale, problem=f"is the same language as {seen[tag]}")]
    seen[tag] = locale
    faults: list[TextFault] = []
    if letter != WHY and nearest(tag, sources.languages(letter)) is None:
        faults += [
            TextFault(letter=letter, locale=locale, part=part, problem="is missing, and the package has no such letter")
            for part in (FOOT_PARTS if letter == FOOT else NEEDED)
            if part not in parts
        ]
    return faults + [fault for part, text in parts.items() for fault in _of_part(sources, letter, locale, part, text)]


def _of_part(sources: Sources, letter: str, locale: str, part: str, text: str) -> list[TextFault]:
    def fault(problem: str, line: int | None = None) -> list[TextFault]:
        return [TextFault(letter=letter, locale=locale, part=part, line=line, problem=problem)]

    if letter == WHY:
        return _of_why(text, fault)
    parts = FOOT_PARTS if letter == FOOT else PARTS
    if part not in parts:
        return fault(f"is not a part of {'the foot' if letter == FOOT else 'a letter'}; use {', '.join(parts)}")
    if part in (*NEEDED, *FOOT_PARTS) and not text.strip():
        return fault("is empty")
    try:
        needs = sources.needs(sources.parse(text))
    except SourceFault as error:
        return fault(error.problem if error.file is None else str(error), error.line if error.file is None else None)
    example = dict.fromkeys(FOOT_VARIABLES, "") if letter == FOOT else examples().get(letter)
    of_items = {name for item in example_items(letter) for name in item}
    unknown = sorted(needs - set(example) - of_items - ALWAYS) if example is not None else []
    return fault(f"uses the variable {unknown[0]!r}, which {letter} does not have") if unknown else []


def _of_why(text: str, fault: Callable[[str], list[TextFault]]) -> list[TextFault]:
    if not text.strip() or "\n" in text.strip():
        return fault("must be one sentence on one line")
    return fault("must be plain text, without {{ }} or {% %}") if re.search(r"\{[{%#]", text) else []
