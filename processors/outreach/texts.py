"""The texts of a playbook, checked before anybody relies on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from processors.outreach.examples import examples
from processors.outreach.sources import ALWAYS, NEEDED, PARTS, SourceFault, Sources, Texts, locale_tag

_NAME = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFault:
    """What is wrong with a playbook's texts, and where. ``locale`` and ``part`` are None where it is about more than
    one; ``line`` counts within the text, from 1."""

    letter: str
    locale: str | None = None
    part: str | None = None
    line: int | None = None
    problem: str

    def __str__(self) -> str:
        """``texts.delay_care/notice.de.body, line 3: a loop is not for letters``."""
        path = ".".join(filter(None, ("texts", self.letter, self.locale, self.part)))
        return f"{path}{f', line {self.line}' if self.line else ''}: {self.problem}"


def check_texts(texts: Texts) -> list[TextFault]:
    """Everything wrong with ``texts`` (letter, then locale, then part: the text); [] where all is well.

    ``check_texts(texts: Mapping[str, Mapping[str, Mapping[str, str]]]) -> list[TextFault]``. Texts without a fault are
    taken by ``Templates(texts=texts)``. A letter of the package may be given in part; a new one, or one in a language
    that the package does not have it in, needs at least subject and body. A text that uses a variable which the
    package's letter of that name does not have is at fault, as no customer would ever get it.
    """
    sources = Sources()
    faults: list[TextFault] = []
    for letter, locales in texts.items():
        if not _NAME.fullmatch(letter):
            faults.append(TextFault(letter=letter, problem="not the name of a letter, as delay_care/notice"))
            continue
        seen: dict[str, str] = {}
        for locale, parts in locales.items():
            faults += _of_letter(sources, letter, locale, parts, seen)
    return faults


def _of_letter(
    sources: Sources, letter: str, locale: str, parts: Mapping[str, str], seen: dict[str, str]
) -> list[TextFault]:
    tag = locale_tag(locale)
    if tag is None:
        return [TextFault(letter=letter, locale=locale, problem="not a language that is known, as de or de-AT")]
    if tag in seen:
        return [TextFault(letter=letter, locale=locale, problem=f"is the same language as {seen[tag]}")]
    seen[tag] = locale
    faults: list[TextFault] = []
    languages = sources.languages(letter)
    if tag not in languages and tag.split("-")[0] not in languages:
        faults += [
            TextFault(letter=letter, locale=locale, part=part, problem="is missing, and the package has no such letter")
            for part in NEEDED
            if part not in parts
        ]
    return faults + [fault for part, text in parts.items() for fault in _of_part(sources, letter, locale, part, text)]


def _of_part(sources: Sources, letter: str, locale: str, part: str, text: str) -> list[TextFault]:
    def fault(problem: str, line: int | None = None) -> list[TextFault]:
        return [TextFault(letter=letter, locale=locale, part=part, line=line, problem=problem)]

    if part not in PARTS:
        return fault(f"is not a part of a letter; there are {', '.join(PARTS)}")
    if part in NEEDED and not text.strip():
        return fault("says nothing")
    try:
        needs = sources.needs(sources.parse(text))
    except SourceFault as error:
        return fault(error.problem if error.file is None else str(error), error.line if error.file is None else None)
    example = examples().get(letter)
    unknown = sorted(needs - set(example) - ALWAYS) if example is not None else []
    return fault(f"uses the variable {unknown[0]!r}, which {letter} does not have") if unknown else []
