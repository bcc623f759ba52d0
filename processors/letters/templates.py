"""Letters from templates: a letter is written once, in plain text, and gives both the text and the HTML part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Self

import css_inline
from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined, Template, TemplateError, UndefinedError

from processors.journey.playbook import FOOT, WHY, Playbook
from processors.language import LAST_RESORT, is_right_to_left, locale_of, nearest, spoken
from processors.letters.errors import TemplateFault
from processors.letters.lures import harmless, is_link, link, person
from processors.letters.quoting import phrase, quoted
from processors.letters.rewording import Rewording
from processors.letters.sources import (
    OF_TASKS,
    OF_WAITS,
    PARTS,
    Found,
    Sources,
    Texts,
)
from processors.letters.telling import TELLER, Teller, Telling, moment
from processors.letters.wording import Written
from streams.events import OutreachChannel, OutreachRequested
from streams.events.moments import can_be_meant

DESCRIPTION = "description"
"""The variable that names what a letter is about, in the publisher's words."""

_BULLET = "• "
_LONGEST_SHORT = 900  # characters of a short form; a longer list is left to the e-mail

_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


class Templates:
    """The letters of the package, overridden by the texts of a playbook.

    The letter ``delay_care/notice`` in German is ``delay_care/notice.de.jinja``. It sets its parts, all plain text:
    ``subject`` and ``body`` (an empty line ends a paragraph), and optionally ``headline``, ``line`` (rendered for each
    of the request's items, with its variables, as a list after the body), ``gesture``, ``pickup`` (the label of the
    gesture's link), ``closing``, ``about`` (what a service message is about, for the foot), and ``short`` (a summary
    for SMS and push). ``frame.html.jinja`` puts them on a page and escapes all text; ``foot.de.jinja`` says why we
    write. Letters have the request's variables, ``why``, ``zone_name``, and the filters ``clock``, ``day``,
    ``last_day``, ``duration``, ``money``, ``capital``; :mod:`processors.letters.syntax` says what else they may
    contain.
    """

    def __init__(
        self, *, texts: Texts | None = None, default_locale: str = LAST_RESORT, rewording: Rewording | None = None
    ) -> None:
        """``texts``: by letter, locale and part, as in a playbook. A missing part is taken from the package's letter of
        that name and language. Raises TemplateFault for the first invalid one."""
        self._sources = Sources(texts)
        self._default = default_locale
        self._rewording = rewording or Rewording()
        for letter, locales in (texts or {}).items():
            for locale in locales if letter != WHY else ():
                if letter == FOOT:
                    self._sources.foot(locale)
                else:
                    self._sources.letter(letter, locale)

    @classmethod
    def of(cls, playbook: Playbook) -> Self:
        """The letters with the playbook's texts. Raises TemplateFault."""
        return cls(texts=playbook.texts, default_locale=playbook.default_locale, rewording=Rewording(playbook))

    def render(
        self,
        request: OutreachRequested,
        *,
        channel: OutreachChannel = OutreachChannel.EMAIL,
        unsubscribe: str | None = None,
    ) -> Written:
        """The letter that ``request`` asks for, all in one language: the request's if letter and foot exist in it, else
        the default. ``Written.locale`` says which.

        ``unsubscribe`` is the link in its foot. A task for staff has no foot and no HTML page.
        Raises TemplateFault if there is no such letter, a variable that it uses is missing, or rendering fails.
        """
        task = channel is OutreachChannel.AGENT_TASK
        written_in = [self._sources.languages(name) for name in (request.template, *(() if task else (FOOT,)))]
        wanted = self._rewording.worded_in(request)
        tag = spoken(wanted, self._default, *written_in)
        found = self._sources.letter(request.template, tag)
        if nearest(tag, (found.tag,)) is None:
            tag = found.tag
        if nearest(wanted, (tag,)) is None and nearest(tag, (wanted,)) is None:
            request = self._rewording.into(request, tag)
        telling = Telling(Teller.of(locale=locale_of(tag) or Locale(LAST_RESORT), time_zone=request.time_zone))
        items = [_all_given(item, within=tag, task=task) for item in request.items]
        values: dict[str, Any] = {
            **dict.fromkeys((*OF_TASKS, *OF_WAITS), ""),
            **{name: "" for item in items for name in item},
            **_all_given(request.variables, within=tag, task=task),
            "why": request.why,
            "zone_name": telling.teller.zone_name(),
            TELLER: telling,
        }
        for name in sorted(found.needs):
            if name not in values:
                raise TemplateFault(request.template, f"the variable {name!r} is missing", variable=name)
        try:
            said = dict.fromkeys(PARTS, "") | found.parts(values)
            lines = [found.line(values | item) for item in items] if found.lists else []
            if request.gesture is not None and request.gesture.link:
                link(request.gesture.link)  # a channel may use it directly
            said["link"] = link(values["gesture_link"]) if said["gesture"] and values.get("gesture_link") else ""
            if task:
                return _written(said, lines, telling.teller, foot=None, locale=tag, unsubscribe=None)
            foot = _foot(self._sources.foot(tag), values, said, request, telling, unsubscribe)
            return _written(said, lines, telling.teller, foot=foot, locale=tag, unsubscribe=unsubscribe)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise _fault(request.template, error) from error


def _all_given(variables: Mapping[str, str], *, within: str, task: bool) -> dict[str, str]:
    return {name: _given(name, variables, within=within, task=task) for name in variables}


_NAME = "name"
_LINK = "link"
_OURS = frozenset({"gesture_title", "gesture_link"})
"""Variables whose text comes from the playbook, not from publishers. A fault in them is an error, not left out."""

_LONGEST = 500  # characters of a variable in a letter, as processors.letters.syntax assumes
_LONGEST_IN_TASKS = 4_000  # a task quotes what customers wrote


def _given(name: str, variables: Mapping[str, str], *, within: str, task: bool) -> str:
    """The variable as it appears in a letter in that language. In a letter to a customer, nothing that publishers wrote
    is clickable except in link variables; a task for staff quotes what was written."""
    value = variables[name]
    if name in _OURS:
        return value if name.endswith(_LINK) else quoted(value, within=within)
    if name == _LINK or name.endswith(f"_{_LINK}"):
        return value if is_link(value) else ""
    value = _cut(value, _LONGEST_IN_TASKS if task else _LONGEST)
    if name == _NAME:
        value = person(value)
    elif not task:
        value = harmless(value)
    return _known(name, quoted(phrase(value) if name == DESCRIPTION else value, within=within), variables)


def _cut(value: str, longest: int) -> str:
    return value if len(value) <= longest else f"{value[: longest - 1]}…"


_MAY_BE_UNKNOWN = frozenset({"expected_at", "previous_expected_at"})


def _known(name: str, value: str, variables: Mapping[str, str]) -> str:
    """The variable; empty if it is an implausible time, which earlier versions accepted and requested."""
    if name not in _MAY_BE_UNKNOWN:
        return value
    try:
        known = can_be_meant(moment(value), moment(variables.get("promised_at", value)))
    except ValueError:  # empty, or not a time; rendering the letter reports that
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


def _written(
    said: dict[str, str],
    lines: Sequence[str],
    teller: Teller,
    *,
    foot: dict[str, str] | None,
    locale: str,
    unsubscribe: str | None,
) -> Written:
    subject = " ".join(_paragraphs(said["subject"]))
    body, closing = _paragraphs(said["body"]), _paragraphs(said["closing"])
    gesture, target, pickup = " ".join(_paragraphs(said["gesture"])), said["link"], said["pickup"]
    if not subject or not body:
        raise ValueError("a letter needs a subject and a body")
    listed = [listing for line in lines if (listing := " ".join(_paragraphs(line)))]
    short = _short(_paragraphs(said["short"]), listed)
    offer = (gesture, teller.labelled(pickup, target) if target else "")
    paragraphs = [*body, *(f"{_BULLET}{line}" for line in listed), *offer, *closing]
    if foot is None:
        text = "\n\n".join(filter(None, paragraphs))
        return Written(subject=subject, text=text + "\n", short=short, locale=locale)
    lines = [line.strip() for line in foot["foot"].splitlines() if line.strip()]
    stop = (teller.labelled(foot["stop"], unsubscribe),) if unsubscribe else ()
    text = "\n\n".join(filter(None, (*paragraphs, "\n".join(("-- ", *lines, *stop)))))
    html = _frame().render(
        lang=locale,
        dir="rtl" if is_right_to_left(locale) else "ltr",
        subject=subject,
        headline=said["headline"],
        body=body,
        lines=listed,
        gesture=gesture,
        link=target,
        pickup=pickup or target,
        closing=closing,
        foot=lines,
        stop=foot["stop"],
        unsubscribe=unsubscribe,
    )
    return Written(subject=subject, text=text + "\n", html=html, short=short, locale=locale)


def _short(paragraphs: list[str], listed: Sequence[str]) -> str | None:
    """The short form, with the listed items after its first paragraph if that is still short enough."""
    whole = "\n".join([*paragraphs[:1], *(f"{_BULLET}{line}" for line in listed), *paragraphs[1:]])
    return (whole if len(whole) <= _LONGEST_SHORT else "\n".join(paragraphs)) or None if paragraphs else None


@cache
def _frame() -> Template:
    """The page around every letter, with inline styles, because some mail programs drop style blocks. Cached."""
    env = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters["link"] = link
    env.tests["link"] = is_link
    source, _, _ = PackageLoader("processors.letters", "written").get_source(env, "frame.html.jinja")
    styled = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
    return env.from_string(styled.inline(source))


def _fault(template: str, error: Exception) -> TemplateFault:
    if isinstance(error, UndefinedError) and (match := _UNDEFINED.search(str(error))):
        return TemplateFault(template, f"the variable {match[1]!r} is missing", variable=match[1])
    return TemplateFault(template, f"{type(error).__name__}: {error}")


def _paragraphs(text: str) -> list[str]:
    # "at 9:45 p.m." at the end of a sentence, or a title with its own full stop, would otherwise end in two full stops.
    # Non-breaking spaces, such as those before a French "?" or between a number and its unit, are kept.
    whole = (_SPACES.sub(" ", part).strip(" ") for part in re.split(r"\n\s*\n", text))
    return [re.sub(r"(?<!\.)\.\.(?!\.)", ".", paragraph) for paragraph in whole if paragraph]
