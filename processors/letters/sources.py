"""The sources of letters: the texts of a playbook, which take precedence, and the package's own files. They are checked
before they are compiled, because compiling already evaluates constant expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from processors.journey.playbook import FOOT, WHY
from processors.language import LAST_RESORT, canonical, nearest
from processors.letters import numbers
from processors.letters.errors import TemplateFault
from processors.letters.lures import link
from processors.letters.syntax import LONGEST_SOURCE, breaches, imported
from processors.letters.telling import FILTERS, TESTS
from processors.policies.registry import installed

Texts = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Texts by letter, locale and part. FOOT is a letter of its own; WHY is not a letter, and its parts are policies."""

NEEDED = ("subject", "body")
LINE = "line"
PARTS = (*NEEDED, "headline", LINE, "gesture", "pickup", "closing", "about", "short")
"""The parts of a letter. LINE is rendered once for each item that the letter lists."""

FOOT_PARTS = ("foot", "stop")
FOOT_VARIABLES = ("about", "purpose", "times", "zone_known", "by_link")
"""Variables of the foot, besides those that every letter has."""

OF_TASKS = ("ways", "earlier_task", "earlier_team", "earlier_due_at")
"""Variables of a task: how to reach the customer, and the task that it escalates; empty if there is none."""

OF_WAITS = ("by_day", "next_update", "last", "delivered")
"""Variables that later versions added to letters about waits; empty for older requests."""

ALWAYS = frozenset({"why", "zone_name", *OF_TASKS})
"""Variables of every letter, besides those of its request."""

LETTERS = "letters"
"""The folder of a policy's package that holds its letters."""

_NAME = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
_NO_LETTER = "there is no such letter"


class SourceFault(Exception):
    """A source that is not a valid letter. ``file`` None: the text is not in a file."""

    def __init__(self, problem: str, *, line: int | None = None, file: str | None = None) -> None:
        where = ", ".join(filter(None, (file, f"line {line}" if line else "")))
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.line = line
        self.file = file


@dataclass(frozen=True, slots=True)
class Found:
    """A letter in the language of ``tag``. ``needs``: every variable that it mentions in any branch, so that a missing
    one is found on the first day and not on the first snowy one."""

    tag: str
    needs: frozenset[str]
    _packaged: Template | None
    _given: tuple[str, ...]
    _own: Mapping[str, Template]

    @property
    def lists(self) -> bool:
        """Whether it has a LINE for the items of a request."""
        return LINE in self._own or LINE in self._given

    def line(self, values: Mapping[str, Any]) -> str:
        """The rendered LINE of one item, whose variables are among ``values``."""
        own = self._own.get(LINE)
        return self.parts(values)[LINE] if own is None else own.render(values).strip()

    def parts(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The rendered parts, except for the playbook's LINE, which is rendered once per item."""
        said: dict[str, str] = {}
        if self._packaged is not None:
            module = self._packaged.make_module(dict(values))
            said = {part: str(getattr(module, part)).strip() for part in self._given if part not in self._own}
        own = {part: template for part, template in self._own.items() if part != LINE}
        return said | {part: template.render(values).strip() for part, template in own.items()}


class Sources:
    """Finds letters, checks them, and keeps them compiled."""

    def __init__(self, texts: Texts | None = None) -> None:
        """``texts`` take precedence over the package's."""
        self._env = _environment()
        self._texts = {
            (letter, canonical(locale) or locale): parts
            for letter, locales in (texts or {}).items()
            for locale, parts in locales.items()
        }
        self._found: dict[tuple[str, str], Found] = {}
        self._languages: dict[str, tuple[str, ...]] = {}

    def letters(self) -> list[str]:
        """The names of all letters, from the package and the playbook."""
        names = {name for name in packaged() if "/" in name and not name.endswith("/words")}
        return sorted(names | {letter for letter, _ in self._texts if letter not in (FOOT, WHY)})

    def languages(self, letter: str) -> tuple[str, ...]:
        """The language tags in which the package or the playbook has a letter (or FOOT)."""
        if letter not in self._languages:
            own = {tag for name, tag in self._texts if name == letter}
            self._languages[letter] = tuple(sorted(own.union(packaged().get(letter, ()))))
        return self._languages[letter]

    def letter(self, name: str, locale: str) -> Found:
        """The letter in the nearest available language: es-MX, es-419, es, en. Raises TemplateFault."""
        if not _NAME.fullmatch(name):
            raise TemplateFault(name, "not the name of a letter")
        return self._nearest(name, locale, PARTS)

    def foot(self, locale: str) -> Found:
        """The foot of every letter to a customer. Raises TemplateFault."""
        return self._nearest(FOOT, locale, FOOT_PARTS)

    def parse(self, source: str, *, file: str | None = None) -> nodes.Template:
        """The checked syntax tree. Raises SourceFault."""
        return _checked(source, file)

    def needs(self, tree: nodes.Template, *, path: tuple[str, ...] = ()) -> set[str]:
        """Every variable that the tree mentions, also in the word files that it imports. Raises SourceFault."""
        needs = set(_mentioned(tree))
        for file in imported(tree):
            if file in path:
                raise SourceFault(f"{file} imports itself")
            needs |= self.needs(_parsed(file), path=(*path, file))
        return needs

    def _nearest(self, name: str, locale: str, parts: tuple[str, ...]) -> Found:
        tag = nearest(locale, self.languages(name)) or nearest(LAST_RESORT, self.languages(name))
        if tag is None:
            raise TemplateFault(name, f"there is no such letter in {locale}" if self.languages(name) else _NO_LETTER)
        if (name, tag) not in self._found:
            try:
                self._found[name, tag] = self._load(name, tag, parts)
            except (SourceFault, TemplateError, ValueError) as error:
                raise TemplateFault(name, str(error)) from error
        return self._found[name, tag]

    def _load(self, name: str, tag: str, parts: tuple[str, ...]) -> Found:
        texts = self._texts.get((name, tag), {})
        known = nearest(tag, packaged().get(name, ()))
        file = f"{name}.{known}.jinja" if known else None
        needs: set[str] = set()
        ours: Template | None = None
        given: tuple[str, ...] = ()
        if file is not None and not set(parts) <= set(texts):
            tree = _parsed(file)
            given = tuple(part for part in parts if part in _assigned(tree))
            needs |= self.needs(tree)
            ours = self._env.get_template(file)
        own = {}
        for part, text in texts.items():
            tree = self.parse(text, file=f"{name} ({tag}), {part}")
            needs |= self.needs(tree)
            own[part] = self._env.from_string(text)
        if missing := [part for part in (NEEDED if parts is PARTS else parts) if part not in (*given, *own)]:
            raise ValueError(f"{name}.{tag} does not set {missing[0]!r}")
        if unknown := sorted(set(own) - set(parts)):
            raise ValueError(f"{unknown[0]!r} is not a part of a letter; the parts are {', '.join(parts)}")
        return Found(tag, frozenset(needs), ours, given, own)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    """One for all sources: it keeps the package's letters compiled."""
    env = ImmutableSandboxedEnvironment(
        loader=written(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals.clear()  # range and lipsum can use up all memory, and no letter needs them
    env.filters |= {**FILTERS, **numbers.FILTERS, "link": link}
    env.tests |= TESTS
    return env


def _checked(source: str, file: str | None) -> nodes.Template:
    if len(source) > LONGEST_SOURCE:
        raise SourceFault(f"it is longer than {LONGEST_SOURCE} characters", file=file)
    try:
        tree = _environment().parse(source)
        found = breaches(tree)
    except TemplateSyntaxError as error:
        raise SourceFault(str(error.message), line=error.lineno, file=file) from error
    except RecursionError as error:
        raise SourceFault("it is nested too deep", file=file) from error
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        raise SourceFault(f"it has a number beyond {numbers.LARGEST}", file=file) from error
    if found:
        raise SourceFault(found[0].problem, line=found[0].line, file=file)
    return tree


@lru_cache(maxsize=512)
def _mentioned(tree: nodes.Template) -> frozenset[str]:
    """Its variables: the package's letters are looked at by every role and every playbook that is checked."""
    return frozenset(meta.find_undeclared_variables(tree))


@cache
def _parsed(file: str) -> nodes.Template:
    """The checked syntax tree of a file of the package. Raises SourceFault."""
    try:
        source, _, _ = written().get_source(_environment(), file)
    except TemplateNotFound as error:
        raise SourceFault(f"it uses {file}, which does not exist") from error
    return _checked(source, file)


@cache
def written() -> BaseLoader:
    """The files that letters are made of: those that all policies share, and those of each policy below its name."""
    own = {
        plugin.name: PackageLoader(plugin.package, LETTERS)
        for plugin in installed()
        if files(plugin.package).joinpath(LETTERS).is_dir()
    }
    return ChoiceLoader([PrefixLoader(own), PackageLoader("processors.letters", "written")])


@cache
def packaged() -> Mapping[str, tuple[str, ...]]:
    """The package's language tags for every letter, every word file, and FOOT."""
    found: dict[str, list[str]] = {}
    for file in written().list_templates():
        name, _, tag = file.removesuffix(".jinja").rpartition(".")
        if file.endswith(".jinja") and canonical(tag) is not None:
            found.setdefault(name, []).append(tag)
    return {name: tuple(tags) for name, tags in found.items()}


def _assigned(tree: nodes.Template) -> set[str]:
    return {
        target.name
        for part in tree.find_all(nodes.AssignBlock)
        for target in [part.target]
        if isinstance(target, nodes.Name)
    }
