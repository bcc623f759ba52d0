"""What is one letter is in one language: its words, dates, gesture, why, foot, page and headers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from email.headerregistry import Address as Sender
from email.parser import BytesParser
from email.policy import default
from functools import cache
from importlib.resources import files

import pytest

from processors.journey.playbook import Playbook
from processors.journey.wait_rules import WaitRules, wait_rules
from processors.language import locale_of
from processors.letters.telling import Teller
from processors.letters.templates import Templates
from processors.letters.wording import Written
from processors.outreach.channels import Letter
from processors.outreach.channels.mime import compose
from processors.playbook import load_playbook
from processors.playbook.languages import missing
from processors.playbook.plain import as_data
from processors.policies.registry import installed
from streams.events import Address, Gesture, OutreachChannel, OutreachRequested
from tests.journey.care import eager
from tests.journey.given import POLICIES
from tests.letters.test_letters import LANGUAGES, LETTERS, TO_CUSTOMERS, UNSUBSCRIBE, asked_by
from tests.outreach.given import NOON, request

WRITTEN_IN = {
    "en": "en", "en-US": "en-US", "en_gb": "en-GB", "de_DE": "de-DE", "DE": "de", "de-AT": "de-AT", "es-MX": "es-MX",
    "es": "es", "pt-BR": "pt-BR", "PT_pt": "pt-PT", "pt": "pt", "fr-CA": "fr-CA", "fr": "fr",
    "it-IT": "en", "zh-Hant": "en", "sr-Latn": "en", "xx": "en", "": "en",
}  # fmt: skip
"""What a profile may say, and in which language its letters are."""


@cache
def playbook() -> Playbook:
    """Careline's own, with nobody held out, by which every policy acts wherever it could."""
    return dataclasses.replace(eager(load_playbook()), holdouts={})


@cache
def templates() -> Templates:
    """Its letters."""
    return Templates.of(playbook())


@cache
def asked(locale: str) -> Mapping[str, OutreachRequested]:
    """Everything that the policies ask for, for a customer of that language."""
    return asked_by(playbook(), locale=locale or None)


@cache
def written(template: str, locale: str) -> Written:
    """The letter as it is sent, or the task as it stands in the queue."""
    one = asked(locale)[template]
    channel = OutreachChannel.EMAIL if template in TO_CUSTOMERS else OutreachChannel.AGENT_TASK
    return templates().render(one, channel=channel, unsubscribe=UNSUBSCRIBE)


MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")


def words(text: str) -> set[str]:
    """Its words, as far as they are words, however they are written."""
    plain = re.sub(r"https?://\S+|<[^>]*>|&\S+;", " ", text)
    return {word.lower() for word in re.findall(r"[^\W\d_]{2,}", plain)}


@cache
def vocabulary(tag: str) -> frozenset[str]:
    """Every word that can stand in a letter of the language, but for what customers and publishers say."""
    locale = locale_of(tag)
    assert locale is not None
    shared = files("processors.letters").joinpath("written")
    folders = [shared, *(sub for sub in shared.iterdir() if sub.is_dir())]
    folders += [files(plugin.package).joinpath("letters") for plugin in installed()]
    sources = [file for one in folders for file in one.iterdir() if file.name.endswith(f".{locale.language}.jinja")]
    known = set().union(*(words(source.read_text(encoding="utf-8")) for source in sources))
    known |= set().union(*(words(policy.why[locale.language]) for policy in POLICIES))
    known |= set().union(*(words(title) for title in titles()[locale.language]))
    teller = Teller.of(locale=locale, time_zone="UTC")
    for day in range(400):
        known |= words(teller.day(NOON + timedelta(days=day)))
    for minutes in (5, 15, 60, 90, 120, 480, 1440, 2200, 20000):
        known |= words(teller.duration(minutes))
    return frozenset(known | words(f"{teller.clock(NOON)} {teller.money(Decimal('60.00'), 'USD')} UTC am pm"))


@cache
def titles() -> Mapping[str, set[str]]:
    """Every gesture's title, by language."""
    found: dict[str, set[str]] = {language: set() for language in LANGUAGES}

    def look(part: object) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("title"), dict):
                for language, title in part["title"].items():
                    found[language].add(title)
            for each in part.values():
                look(each)
        elif isinstance(part, list):
            for each in part:
                look(each)

    look(as_data(playbook()))
    return found


@pytest.mark.parametrize("locale", WRITTEN_IN)
@pytest.mark.parametrize("template", TO_CUSTOMERS)
def test_a_letter_is_in_one_language(template: str, locale: str) -> None:
    """Every word in it is of the language it says it is in, in subject, text, page and short form."""
    tag = WRITTEN_IN[locale]
    one, ask = written(template, locale), asked(locale)[template]
    assert (one.locale, ask.locale) == (tag, tag)
    language = tag.split("-")[0]
    policy = next(policy for policy in POLICIES if policy.name == template.split("/")[0])
    assert ask.why == policy.why[language]
    assert ask.why in one.text
    assert ask.gesture is None or ask.gesture.title in titles()[language]
    assert ask.gesture is None or ask.gesture.title in one.text
    assert one.html is not None
    assert (one.html.count(f'lang="{tag}"'), one.html.count('dir="ltr"')) == (2, 2), (
        "on the page, and where mail programs drop that, inside it"
    )
    told = [*ask.variables.items(), *(one for item in ask.items for one in item.items())]
    given = set().union(*(words(value) for name, value in told if name != "gesture_title"))
    body = re.sub(r"(?s)<head>.*</head>", "", one.html)
    said = words(f"{one.subject} {one.text} {one.short} {body}")
    assert said - vocabulary(tag) - given == set()
    for other in set(LANGUAGES) - {language}:
        assert len(said - vocabulary(other) - given) > 10, "a vocabulary that holds any letter would prove nothing"


@pytest.mark.parametrize("locale", WRITTEN_IN)
def test_the_headers_say_what_is_written(locale: str) -> None:
    """Content-Language is the language of the words, not the one that the customer might have wished for."""
    for template in TO_CUSTOMERS:
        ask = asked(locale)[template]
        letter = Letter.of(ask, address=MAIL, written=written(template, locale))
        wire = compose(letter, sender=Sender("Careline", addr_spec="care@c.example"), reply_to=None, at=NOON)
        assert BytesParser(policy=default).parsebytes(wire)["Content-Language"] == WRITTEN_IN[locale]


@pytest.mark.parametrize("language", LANGUAGES)
def test_staff_reads_tasks_in_its_own_language(language: str) -> None:
    """Whatever the customer reads: every word of a task is of the playbook's default language."""
    book = dataclasses.replace(playbook(), default_locale=language)
    letters = Templates.of(book)
    for template, ask in asked_by(book, locale="fr" if language != "fr" else "de").items():
        if template not in TO_CUSTOMERS:
            one = letters.render(ask, channel=OutreachChannel.AGENT_TASK)
            assert one.locale == ask.locale == language
            given = set().union(*(words(value) for value in ask.variables.values()))
            assert words(f"{one.subject} {one.text}") - vocabulary(language) - given == set()


def test_careline_s_own_playbook_is_whole_in_every_language() -> None:
    """Nothing is missing in any of the five, and in a sixth everything is."""
    data = as_data(playbook())
    for language in LANGUAGES:
        assert list(missing(data, language)) == []
    fields = {place for place, _ in missing(data, "it")}
    assert {("texts", letter, "it") for letter in LETTERS} | {("texts", "foot", "it")} <= fields
    assert ("delay_care", "flight", "gestures", 0, "title", "it") in fields
    assert ("texts", "why", "it", "delay_care") in fields


@pytest.mark.parametrize(
    ("locale", "day", "clock", "later"),
    [
        ("en-US", "Sunday, February 8", "6:10 pm", "about 3.5 hours"),
        ("en-GB", "Sunday 8 February", "18:10", "about 3.5 hours"),
        ("pt-BR", "domingo, 8 de fevereiro", "18:10", "cerca de 3,5 horas"),
        ("pt-PT", "domingo, 8 de fevereiro", "18:10", "cerca de 3,5 horas"),
        ("fr-FR", "dimanche 8 février", "18:10", "environ 3,5 heures"),
        ("fr-CA", "dimanche 8 février", "18 h 10", "environ 3,5 heures"),
        ("de-CH", "Sonntag, 8. Februar", "18:10 Uhr", "etwa 3.5 Stunden"),
        ("es-MX", "domingo, 8 de febrero", "6:10 p.m.", "cerca de 3.5 horas"),
    ],
)
def test_dates_and_numbers_are_the_region_s(locale: str, day: str, clock: str, later: str) -> None:
    """The words follow the language, times and decimals the customer's own region."""
    times = {"promised_at": "2026-02-08T23:10:00+00:00", "expected_at": "2026-02-09T02:45:00+00:00"}
    text = Templates().render(request(locale=locale, variables=times)).text
    for said in (day, clock, later):
        assert said in text


HEBREW = {
    "delay_care/notice": {"he": {"subject": "הטיסה שלך מתעכבת", "body": "שלום,\n\n{{ description }} מתעכבת."}},
    "foot": {"he": {"foot": "הודעת שירות. {{ why }}", "stop": "להסרה"}},
}


def test_a_language_of_our_own_with_its_foot_and_its_direction() -> None:
    """A playbook's letter from right to left is so on its page; what is written the other way is set apart."""
    ask = request(locale="iw_IL", why="ההמתנה קשה.", variables={"description": "flight UA 571 to Houston"})
    one = Templates(texts=HEBREW).render(ask, unsubscribe=UNSUBSCRIBE)
    assert one.locale == "he-IL"
    assert one.html is not None
    assert (one.html.count('lang="he-IL"'), one.html.count('dir="rtl"')) == (2, 2)
    assert "\u2068flight UA 571 to Houston\u2069 מתעכבת." in one.text
    assert "הודעת שירות. ההמתנה קשה." in one.text
    assert "להסרה: " in one.text


def test_a_request_that_was_worded_otherwise_is_written_as_it_was_worded() -> None:
    """One from before we wrote Portuguese, its why and its gesture in English, is an English letter and says so."""
    policy = next(policy for policy in POLICIES if policy.name == "delay_care")
    one = templates().render(request(locale="pt-BR", why=policy.why["en"]), unsubscribe=UNSUBSCRIBE)
    assert (one.locale, one.text[:6]) == ("en", "Hello ")
    assert "free wifi, and a book" in one.text
    assert policy.why["en"] in one.text


def test_a_language_that_is_gone_takes_its_why_and_its_gesture_with_it() -> None:
    """A request of a playbook that had Italian letters, written by one that has none any more: all of it is English."""
    book, gesture = playbook(), Gesture(code="book", title="un libro", cost=Decimal(4), currency="USD")
    flights = wait_rules(book, "flight")
    stage = flights.stages[0]
    offer = dataclasses.replace(stage.gesture, title={"en": "a free book of your choice", "it": "un libro"})
    rules = dataclasses.replace(flights, stages=(dataclasses.replace(stage, gesture=offer),))
    now = book.with_rules(WaitRules(kinds={"default": rules}))
    asked_then = request(
        locale="it-IT", why="Aspettare è già difficile.", gesture=gesture, variables={"gesture_title": "un libro"}
    )
    one = Templates.of(now).render(asked_then, unsubscribe=UNSUBSCRIBE)
    assert one.locale == "en"
    assert "a free book of your choice" in one.text
    assert "Waiting is hard enough; nobody should also have to ask." in one.text
    assert not {"aspettare", "libro"} & words(one.text)
