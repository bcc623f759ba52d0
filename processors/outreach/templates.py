"""Letters from templates: a letter is written once, as plain words, and becomes both the text and the HTML part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import css_inline
from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined, Template, TemplateError, UndefinedError

from processors.outreach.channels import Written
from processors.outreach.errors import TemplateFault
from processors.outreach.sources import PARTS, TELLER, Found, Sources, Telling, Texts, is_link, link, moment
from processors.outreach.telling import Teller, locale_of
from streams.events import OutreachChannel, OutreachRequested
from streams.events.moments import can_be_meant

_UNDEFINED = re.compile(r"'(\w+)' is undefined")


class Templates:
    """The letters of the package, and before them the texts of a playbook.

    A letter ``delay_care/notice`` in German is ``delay_care/notice.de.jinja``. It sets its parts, all plain text:
    ``subject`` and ``body`` (an empty line ends a paragraph), and where it has them ``headline``, ``gesture``, the
    label of its link ``pickup``, ``closing``, ``about`` (what a service message is about, for the foot), and ``short``
    (all of it in a few words, for SMS and push). ``frame.html.jinja`` puts them on a page and escapes every word;
    ``foot.de.jinja`` says why we write. Letters see the request's variables, ``why``, ``zone_name``, and the filters
    ``clock``, ``day``, ``duration``, ``money``; what else they may be made of is in :mod:`processors.outreach.syntax`.
    """

    def __init__(self, *, texts: Texts | None = None) -> None:
        """``texts``: letter, locale, part, as a playbook has them. A part that is not given is the package's letter's
        of that name and language. Raises TemplateFault for the first that cannot be one."""
        self._sources = Sources(texts)
        for letter, locales in (texts or {}).items():
            for locale in locales:
                self._sources.letter(letter, locale)

    def render(
        self,
        request: OutreachRequested,
        *,
        channel: OutreachChannel = OutreachChannel.EMAIL,
        unsubscribe: str | None = None,
    ) -> Written:
        """The letter ``request`` asks for, in its language or the nearest there is: es-MX, es, en.

        ``unsubscribe`` is the link in its foot. A task for our own people has no foot and no page.
        Raises TemplateFault if there is no such letter, a variable it uses is missing, or it cannot be written.
        """
        found = self._sources.letter(request.template, request.locale)
        locale = locale_of(request.locale)
        if locale is None or locale.language != found.language:
            locale = Locale.parse(found.language)
        telling = Telling(Teller.of(locale=locale, time_zone=request.time_zone))
        values: dict[str, Any] = {
            **{
                name: _known(name, " ".join(value.split()), request.variables)
                for name, value in request.variables.items()
            },
            "why": request.why,
            "zone_name": telling.teller.zone_name(),
            TELLER: telling,
        }
        for name in sorted(found.needs):
            if name not in values:
                raise TemplateFault(request.template, f"the variable {name!r} is missing", variable=name)
        try:
            said = dict.fromkeys(PARTS, "") | found.parts(values)
            said["link"] = link(values["gesture_link"]) if said["gesture"] and values.get("gesture_link") else ""
            if channel is OutreachChannel.AGENT_TASK:
                return _written(said, foot=None, language=found.language, unsubscribe=None)
            foot = _foot(self._sources.foot(found.language), values, said, request, telling, unsubscribe)
            return _written(said, foot=foot, language=str(locale).replace("_", "-"), unsubscribe=unsubscribe)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise _fault(request.template, error) from error


_MAY_BE_UNKNOWN = frozenset({"expected_at", "previous_expected_at"})


def _known(name: str, value: str, variables: Mapping[str, str]) -> str:
    """The variable, empty where it is a time that cannot be meant: former versions kept and requested such times."""
    if name not in _MAY_BE_UNKNOWN:
        return value
    try:
        known = can_be_meant(moment(value), moment(variables.get("promised_at", value)))
    except ValueError:  # empty, or no moment at all; the letter will say so
        return value
    return value if known else ""


def _foot(
    found: Found,
    values: dict[str, Any],
    said: dict[str, str],
    request: OutreachRequested,
    telling: Telling,
    unsubscribe: str | None,
) -> dict[str, str]:
    return found.parts(
        values
        | {
            "about": said["about"],
            "purpose": request.purpose,
            "times": telling.told,
            "zone_known": telling.teller.zone is not None,
            "by_link": unsubscribe is not None,
        }
    )


def _written(said: dict[str, str], *, foot: dict[str, str] | None, language: str, unsubscribe: str | None) -> Written:
    subject = " ".join(_paragraphs(said["subject"]))
    body, closing = _paragraphs(said["body"]), _paragraphs(said["closing"])
    gesture, target, pickup = " ".join(_paragraphs(said["gesture"])), said["link"], said["pickup"]
    short = "\n".join(_paragraphs(said["short"])) or None
    if not subject or not body:
        raise ValueError("a letter needs a subject and a body")
    offer = (gesture, ": ".join(filter(None, (pickup, target))) if target else "")
    paragraphs = [*body, *offer, *closing]
    if foot is None:
        return Written(subject=subject, text="\n\n".join(filter(None, paragraphs)) + "\n", short=short)
    lines = [line.strip() for line in foot["foot"].splitlines() if line.strip()]
    stop = (f"{foot['stop']}: {unsubscribe}",) if unsubscribe else ()
    text = "\n\n".join(filter(None, (*paragraphs, "\n".join(("-- ", *lines, *stop)))))
    html = _frame().render(
        lang=language,
        subject=subject,
        headline=said["headline"],
        body=body,
        gesture=gesture,
        link=target,
        pickup=pickup or target,
        closing=closing,
        foot=lines,
        stop=foot["stop"],
        unsubscribe=unsubscribe,
    )
    return Written(subject=subject, text=text + "\n", html=html, short=short)


@cache
def _frame() -> Template:
    """The page around every letter, its style in its elements, as some mail programs drop the block. Done once."""
    env = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters["link"] = link
    env.tests["link"] = is_link
    source, _, _ = PackageLoader("processors.outreach", "letters").get_source(env, "frame.html.jinja")
    styled = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
    return env.from_string(styled.inline(source))


def _fault(template: str, error: Exception) -> TemplateFault:
    if isinstance(error, UndefinedError) and (match := _UNDEFINED.search(str(error))):
        return TemplateFault(template, f"the variable {match[1]!r} is missing", variable=match[1])
    return TemplateFault(template, f"{type(error).__name__}: {error}")


def _paragraphs(text: str) -> list[str]:
    # "at 9:45 p.m." at the end of a sentence, or a title with its own full stop, would else end in two.
    whole = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return [re.sub(r"(?<!\.)\.\.(?!\.)", ".", paragraph) for paragraph in whole if paragraph]
