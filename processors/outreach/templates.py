"""Letters from templates: a letter is written once, as plain words, and becomes both the text and the HTML part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from babel import Locale
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    UndefinedError,
    meta,
    nodes,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from processors.outreach.errors import TemplateFault
from processors.outreach.telling import Teller, locale_of
from streams.events.outreach import OutreachRequested

_NAME = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
_LINK = re.compile(r"(https?://|mailto:|tel:)\S+")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_PARTS = ("subject", "headline", "body", "gesture", "pickup", "closing")
_LAST_RESORT = "en"
_TELLER = "_teller"


class Written(NamedTuple):
    """A letter ready to be sent: the subject on one line, the text part, the HTML part."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Found:
    template: Template
    language: str
    parts: tuple[str, ...]
    needs: frozenset[str]


class Templates:
    """The letters of the package, and before them those of ``folder`` if a playbook brings its own.

    A letter ``delay_care/notice`` in German is ``delay_care/notice.de.jinja``. It sets six parts, all plain text:
    ``subject``, ``headline``, ``body`` (an empty line ends a paragraph), ``gesture``, the label of its link
    ``pickup``, and ``closing``. ``frame.html.jinja`` puts them on a page and escapes every word; ``foot.de.jinja``
    says why we write. Letters see the request's variables, ``why``, and the filters ``clock``, ``day``, ``duration``.
    """

    def __init__(self, *, folder: Path | None = None) -> None:
        packaged = PackageLoader("processors.outreach", "letters")
        loader: BaseLoader = packaged if folder is None else ChoiceLoader([FileSystemLoader(folder), packaged])
        self._env = ImmutableSandboxedEnvironment(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html.jinja"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._env.globals.clear()  # range and lipsum can eat all memory, and no letter needs them
        self._env.filters |= {"clock": _clock, "day": _day, "duration": _duration, "minutes": _minutes, "link": _link}
        self._env.tests["earlier_than"] = _earlier_than
        self._found: dict[str, _Found] = {}

    def render(self, request: OutreachRequested) -> Written:
        """The letter ``request`` asks for, in its language or the nearest there is: es-MX, es, en.

        Raises TemplateFault if there is no such letter, a variable it uses is missing, or it cannot be written.
        """
        found = self._letter(request.template, request.locale)
        locale = locale_of(request.locale)
        if locale is None or locale.language != found.language:
            locale = Locale.parse(found.language)
        teller = Teller.of(locale=locale, time_zone=request.time_zone)
        values: dict[str, Any] = {
            **{name: " ".join(value.split()) for name, value in request.variables.items()},
            "why": request.why,
            "zone_name": teller.zone_name(),
            "zone_known": teller.zone is not None,
            _TELLER: teller,
        }
        foot = self._letter("foot", found.language)
        for name in sorted(found.needs | foot.needs):
            if name not in values:
                raise TemplateFault(request.template, f"the variable {name!r} is missing", variable=name)
        try:
            said = self._parts(found, values) | self._parts(foot, values)
            said["link"] = _link(values["gesture_link"]) if said["gesture"] and values.get("gesture_link") else ""
            return self._written(said, language=str(locale).replace("_", "-"))
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise _fault(request.template, error) from error

    def _parts(self, found: _Found, values: dict[str, Any]) -> dict[str, str]:
        module = found.template.make_module(values)
        return {part: str(getattr(module, part)).strip() for part in found.parts}

    def _written(self, said: dict[str, str], *, language: str) -> Written:
        subject = " ".join(said["subject"].split())
        body, closing = _paragraphs(said["body"]), _paragraphs(said["closing"])
        foot = [line.strip() for line in said["foot"].splitlines() if line.strip()]
        gesture, link, pickup = " ".join(_paragraphs(said["gesture"])), said["link"], said["pickup"]
        if not subject or not body:
            raise ValueError("a letter needs a subject and a body")
        offer = (gesture, f"{pickup}: {link}" if link else "")
        text = "\n\n".join(filter(None, (*body, *offer, *closing, "\n".join(("-- ", *foot)))))
        html = self._env.get_template("frame.html.jinja").render(
            lang=language,
            subject=subject,
            headline=said["headline"],
            body=body,
            gesture=gesture,
            link=link,
            pickup=pickup,
            closing=closing,
            foot=foot,
        )
        return Written(subject, text + "\n", html)

    def _letter(self, name: str, locale: str) -> _Found:
        if name != "foot" and not _NAME.fullmatch(name):
            raise TemplateFault(name, "not the name of a letter")
        wanted = locale_of(locale)
        known = (str(wanted).replace("_", "-"), wanted.language) if wanted else ()
        for tag in dict.fromkeys((*known, _LAST_RESORT)):
            file = f"{name}.{tag}.jinja"
            if file not in self._found:
                try:
                    self._found[file] = self._load(file, parts=("foot",) if name == "foot" else _PARTS)
                except TemplateNotFound as error:
                    if error.name != file:
                        raise TemplateFault(name, f"it uses {error.name}, which is not there") from error
                    continue
                except (TemplateError, ValueError) as error:
                    raise _fault(name, error) from error
            return self._found[file]
        raise TemplateFault(name, "there is no such letter")

    def _load(self, file: str, *, parts: tuple[str, ...]) -> _Found:
        template = self._env.get_template(file)
        syntax = self._parse(file)
        given = {target.name for part in syntax.find_all(nodes.AssignBlock) for target in part.find_all(nodes.Name)}
        if missing := [part for part in parts if part not in given]:
            raise ValueError(f"{file} does not set {missing[0]!r}")
        return _Found(template, file.split(".")[1].split("-")[0], parts, frozenset(self._needs(syntax)))

    def _needs(self, syntax: nodes.Template) -> set[str]:
        # All that is mentioned anywhere: a letter that would only fail on a snowy day is found out on a fine one.
        needs = set(meta.find_undeclared_variables(syntax))
        for used in meta.find_referenced_templates(syntax):
            if used is None:
                raise ValueError("which template it uses must be written out")
            needs |= self._needs(self._parse(used))
        return needs

    def _parse(self, file: str) -> nodes.Template:
        if self._env.loader is None:
            raise TemplateNotFound(file)
        source, _, _ = self._env.loader.get_source(self._env, file)
        return self._env.parse(source)


def _fault(template: str, error: Exception) -> TemplateFault:
    if isinstance(error, UndefinedError) and (match := _UNDEFINED.search(str(error))):
        return TemplateFault(template, f"the variable {match[1]!r} is missing", variable=match[1])
    return TemplateFault(template, f"{type(error).__name__}: {error}")


def _paragraphs(text: str) -> list[str]:
    # "at 9:45 p.m." at the end of a sentence, or a title with its own full stop, would else end in two.
    whole = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return [re.sub(r"(?<!\.)\.\.(?!\.)", ".", paragraph) for paragraph in whole if paragraph]


def _moment(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(f"{value!r} is a time without a zone")
    return at


@pass_context
def _clock(context: Context, value: str) -> str:
    teller: Teller = context[_TELLER]
    return teller.clock(_moment(value))


@pass_context
def _day(context: Context, value: str) -> str:
    teller: Teller = context[_TELLER]
    return teller.day(_moment(value))


@pass_context
def _duration(context: Context, minutes: str) -> str:
    teller: Teller = context[_TELLER]
    return teller.duration(_minutes(minutes))


def _minutes(value: str) -> float:
    minutes = float(value)
    if not isfinite(minutes):
        raise ValueError(f"{value!r} is not a length of time")
    return minutes


def _link(value: str) -> str:
    if not _LINK.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is not a link a letter may carry")
    return value


def _earlier_than(value: str, other: str) -> bool:
    return _moment(value) < _moment(other)
