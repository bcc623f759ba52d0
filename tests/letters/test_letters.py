"""What each letter and each task says, in five languages, and that policies give their letters all they need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from processors.journey.playbook import Playbook
from processors.letters.errors import TemplateFault
from processors.letters.examples import example_items, examples
from processors.letters.sources import ALWAYS, Sources
from processors.letters.templates import Templates
from processors.letters.wording import Written
from processors.playbook import load_playbook
from processors.policies.registry import plugin_of
from streams.events import (
    ConsentStatus,
    FeedbackKind,
    OutreachChannel,
    OutreachRequested,
    Purpose,
    Sentiment,
    Touchpoint,
    replace,
)
from tests.journey.care import (
    answer,
    asks,
    cannot_have,
    closes,
    eager,
    everything,
    feedback,
    given_by_agent,
    posts,
)
from tests.journey.given import NOON, POLICIES, TWO, cancellation, consent, delay, given, profile
from tests.journey.parcels import DAY, FRIDAY, arrived, late, ordered, shop
from tests.letters.test_templates import Page
from tests.outreach.given import request

OF_A_SHOP = shop()
LOCALES = ["en-US", "de-DE", "es-MX", "pt-BR", "fr-FR"]
LANGUAGES = ("de", "en", "es", "fr", "pt")
PACKAGED = Templates()
SOURCES = Sources()
UNSUBSCRIBE = "https://care.example/unsubscribe/token"

LETTERS = Sources().letters()
TASKS = [letter for letter in LETTERS if examples()[letter].get("due_at")]
"""Only tasks for staff have a deadline."""

TO_CUSTOMERS = [letter for letter in LETTERS if letter not in TASKS]

MAY_BE_EMPTY = frozenset(
    {"name", "matter", "summary", "closed_before", "link", "text", "reach", "score", "about", "seller", "price",
     "currency", "gesture_title", "gesture_link", "gesture_code", "expected_at", "previous_expected_at", "by_day",
     "next_update", "last", "delivered", "order_id"}
)  # fmt: skip
"""What a policy may not know."""

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} You IDIOTS “never” answer, ‘ever’!!! " + "no " * 150 + "end"


def written(
    template: str, locale: str, variables: Mapping[str, str] | None = None, *, zone: str = "America/New_York"
) -> Written:
    """The letter as its example has it, with these variables laid over; the policy's own why, in its language."""
    policy = next(one for one in POLICIES if one.name == template.split("/")[0])
    asked = request(
        template=template,
        locale=locale,
        time_zone=zone,
        why=policy.why[locale[:2]],
        purpose=Purpose.MARKETING if is_offer(template) else Purpose.SERVICE,
    )
    given_ = {**examples()[template], **(variables or {})}
    asked = replace(asked, variables=given_, items=example_items(template, locale))
    if template in TASKS:
        return PACKAGED.render(asked, channel=OutreachChannel.AGENT_TASK)
    return PACKAGED.render(asked, unsubscribe=UNSUBSCRIBE)


def is_offer(template: str) -> bool:
    """Whether the policy's letters are offers, by the default playbook."""
    plugin = plugin_of(template.split("/")[0])
    rules = None if plugin is None else load_playbook().rules_of(plugin.rules)
    return rules is not None and rules.letters_are() is Purpose.MARKETING


def said(one: Written) -> str:
    """The letter's own words, without its foot."""
    return one.text.split("\n\n-- \n")[0]


def is_well_written(one: Written) -> None:
    """No scraps of a template, no hole where something is not known, no stutter."""
    assert 10 < len(one.subject) < 140
    assert len(one.text) < 1600
    for text in (one.subject, *one.text.replace("-- \n", "").splitlines(), *(one.short or "").splitlines()):
        assert text.count("(") == text.count(")")
        for scrap in (
            "None",
            "Undefined",
            "{{",
            "}}",
            "{%",
            "%}",
            "  ",
            " ,",
            " .",
            " :",
            "()",
            "““",
            "“”",
            "„“",
            "«»",
        ):
            assert scrap not in text, text
        assert not re.search(r"(?<!\.)\.\.(?!\.)|,,|::|[,:]\.|(?<!m)\.,|: ?[),.]|\($", text), text


# -- what policies ask for ---------------------------------------------------------------------------------------------


_DAY = 24
_PROMISED = (FRIDAY - NOON) / timedelta(hours=1)
_OF_DAYS: list[tuple[tuple[Touchpoint, ...], float]] = [
    ((ordered(when=NOON),), _PROMISED + 2 * _DAY),
    ((late(FRIDAY + DAY),), _PROMISED + 25 * _DAY),
    ((late(FRIDAY + DAY, until=FRIDAY + 4 * DAY), arrived(FRIDAY + 3 * DAY)), _PROMISED + 4 * _DAY),
    ((late(FRIDAY + DAY, "A1"), late(FRIDAY + DAY, "A2", until=FRIDAY + 4 * DAY)), _PROMISED + 2 * _DAY),
]
"""What somebody lives through who waits for parcels, and for how many hours from noon on."""


@cache
def asked_for() -> Mapping[str, OutreachRequested]:
    """One request for every template that the policies ask for, as the core makes them for people's journeys."""
    return asked_by(eager(everything(*OF_A_SHOP.rules.values())))


def asked_by(playbook: Playbook, **who: Any) -> Mapping[str, OutreachRequested]:
    """The same by that playbook, for somebody whose profile says so."""

    def lived(*events: Touchpoint, hours: float = 0) -> Iterable[OutreachRequested]:
        journey = given(profile(**who), *events, playbook=playbook)
        return journey.when_time_passes_to(NOON + timedelta(hours=hours)).requests

    yes = consent(ConsentStatus.GRANTED, purpose=Purpose.MARKETING)
    hour = timedelta(hours=1)
    lived = [
        lived(asks(), hours=5),
        lived(asks(NOON - 3 * hour), answer(NOON - 2 * hour), closes(NOON - hour), asks(NOON, "c1"), hours=1),
        lived(posts(Sentiment.POSITIVE)),
        lived(posts(Sentiment.NEGATIVE, reach=1500), hours=5),
        lived(feedback(FeedbackKind.CSAT, score=1), hours=24 * 4),
        lived(feedback(FeedbackKind.STORY, tone=Sentiment.POSITIVE, text="She waited with us.")),
        lived(yes, cannot_have(NOON, "boots-42", "119.90")),
        lived(given_by_agent(cost="60.00")),
        lived(delay(minutes=60), delay(NOON + hour, minutes=90), delay(NOON + 2 * hour, minutes=300)),
        lived(delay(minutes=60), cancellation(TWO)),
        *(lived(*facts, hours=hours) for facts, hours in _OF_DAYS),
    ]
    return {one.template: one for requests in lived for one in requests}


def test_there_is_a_letter_for_everything_a_policy_asks_for_and_no_other() -> None:
    """Nobody waits for a letter that nobody wrote, and none was written that nobody asks for."""
    assert sorted(asked_for()) == LETTERS
    assert len(LETTERS) > 10, "the letters were not found"


@pytest.mark.parametrize("template", LETTERS)
def test_policies_give_their_letters_all_they_need(template: str) -> None:
    """In each language every variable that is mentioned anywhere comes with the request, and the example has the same
    variables as the request, so that a preview shows what customers get."""
    variables = set(asked_for()[template].variables)
    assert set(examples()[template]) == variables
    sources = SOURCES
    assert sources.languages(template) == LANGUAGES
    listed = {name for item in asked_for()[template].items for name in item}
    assert {name for item in example_items(template) for name in item} == listed
    for language in LANGUAGES:
        assert sources.letter(template, language).needs <= variables | listed | ALWAYS


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", LETTERS)
def test_what_policies_ask_for_can_be_written(template: str, locale: str) -> None:
    """From a touchpoint to the words: no request fails for want of a letter, in no language."""
    asked = replace(asked_for()[template], locale=locale)
    assert (asked.due_at is not None) == (template in TASKS)
    one = PACKAGED.render(asked, channel=asked.addresses[0].channel, unsubscribe=UNSUBSCRIBE)
    is_well_written(one)
    assert "Ana" in one.text
    assert asked.why in one.text


# -- all letters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", LETTERS)
def test_every_letter_reads_well_whatever_is_not_known(template: str, locale: str) -> None:
    """With all that can be known, without each thing that may not be, and without all of them."""
    is_well_written(written(template, locale))
    unknown = [name for name in examples()[template] if name in MAY_BE_EMPTY]
    for name in unknown:
        is_well_written(written(template, locale, {name: ""}))
    is_well_written(written(template, locale, dict.fromkeys(unknown, "")))


@pytest.mark.parametrize("template", LETTERS)
def test_each_language_is_its_own(template: str) -> None:
    """No sentence of one language is left in the letter of another, and each begins with its own words."""
    paragraphs = {}
    for locale in LOCALES:
        one = written(template, locale)
        assert one.html is None or f'lang="{locale[:2]}' in one.html
        whole = (*one.text.split("\n\n"), one.subject, *(one.short or "").splitlines())
        paragraphs[locale] = {text for text in whole if not text.startswith("https://")}
    for here, there in combinations(LOCALES, 2):
        assert not paragraphs[here] & paragraphs[there]
    assert re.search(r"\b(the|they|you)\b", written(template, "en-US").text)
    assert re.search(r"\b(und|Sie|die|uns)\b", written(template, "de-DE").text)
    assert re.search(r"\b(que|por|nos|usted)\b", written(template, "es-MX").text)
    assert re.search(r"\b(não|você|uma|é|pessoa|isto)\b", written(template, "pt-BR").text)
    assert re.search(r"\b(nous|vous|une|ce)\b", written(template, "fr-FR").text)


@pytest.mark.parametrize("template", LETTERS)
@pytest.mark.parametrize("locale", LOCALES)
def test_customers_words_stay_words(template: str, locale: str) -> None:
    """Long, hostile or full of signs: it is told as it was said, and never becomes markup or a template."""
    free = {"name", "description", "summary", "text", "matter", "about", "seller", "platform", "code", "agent_id"}
    for name in sorted(free & set(examples()[template])):
        one = written(template, locale, {name: f"{HOSTILE}\r\nBcc: x"})
        assert "\n" not in one.subject
        assert "49" not in one.text.replace(examples()[template].get("name", ""), "")
        if one.html is not None:
            assert "<script>" not in one.html
            assert "script" not in Page(one.html).tags
        if name in ("text", "summary") and template in TASKS:
            assert f"{HOSTILE} Bcc: x" in one.text


# -- letters to customers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", TO_CUSTOMERS)
def test_customers_are_greeted_told_why_and_can_stop_it(template: str, locale: str) -> None:
    """By name, with a way to answer, our why, what kind of message it is, and the link that ends such letters."""
    one = written(template, locale)
    foot = one.text.split("-- \n")[1]
    policy = next(policy for policy in POLICIES if policy.name == template.split("/")[0])
    assert one.text.startswith(
        {
            "en": "Hello Ana Ruiz,",
            "de": "Guten Tag Ana Ruiz,",
            "es": "Hola, Ana Ruiz:",
            "pt": "Olá, Ana Ruiz,",
            "fr": "Bonjour Ana Ruiz,",
        }[locale[:2]]
    )
    answered = {
        "en": "reply to this message",
        "de": "auf diese Nachricht",
        "es": "responda a este mensaje",
        "pt": "responda a esta mensagem",
        "fr": "répondez à ce message",
    }
    assert answered[locale[:2]] in said(one)
    assert policy.why[locale[:2]] in foot
    assert UNSUBSCRIBE in foot
    service, agreed = {
        "en": ("service message", "because you agreed"),
        "de": ("Servicenachricht", "weil Sie zugestimmt haben"),
        "es": ("mensaje de servicio", "porque aceptó"),
        "pt": ("mensagem de serviço", "porque aceitou"),
        "fr": ("message de service", "parce que vous avez accepté"),
    }[locale[:2]]
    marketing = is_offer(template)
    assert (agreed in foot, service in foot) == (marketing, not marketing)
    assert len(said(one)) < 1000, "short"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", TO_CUSTOMERS)
def test_a_short_form_is_whole_and_short(template: str, locale: str) -> None:
    """For SMS and push: the name, what it is about, and not much more than 300 characters."""
    short = written(template, locale).short
    assert short is not None
    assert "Ana Ruiz" in short
    assert 100 < len(short) <= (900 if example_items(template) else 320), "a list names each of its things"
    assert len(short.splitlines()) <= (3 + len(example_items(template)) if example_items(template) else 2)


@pytest.mark.parametrize(
    ("locale", "said_so", "how"),
    [
        ("en-US", "because you agreed to hear from us.", "reply and say so"),
        ("de-DE", "weil Sie zugestimmt haben, von uns zu hören.", "antworten Sie mit einem Wort dazu"),
        ("es-MX", "porque aceptó tener noticias nuestras.", "responda diciéndolo"),
        ("pt-BR", "porque aceitou ter notícias nossas.", "responda dizendo isso"),
        ("fr-FR", "parce que vous avez accepté de recevoir de nos nouvelles.", "dites-le-nous en réponse"),
    ],
)
def test_marketing_can_be_stopped_without_a_link_too(locale: str, said_so: str, how: str) -> None:
    """Where we have no page to unsubscribe, the letter says what to do instead; a service letter needs no such line."""
    asked = replace(
        request(template="out_of_stock_save/save", locale=locale, purpose=Purpose.MARKETING),
        variables=examples()["out_of_stock_save/save"],
    )
    foot = PACKAGED.render(asked).text.split("-- \n")[1]
    assert said_so in foot
    assert how in foot
    assert how not in PACKAGED.render(asked, unsubscribe=UNSUBSCRIBE).text
    assert how not in PACKAGED.render(replace(asked, purpose=Purpose.SERVICE)).text


@pytest.mark.parametrize("channel", ["CALL", "CHAT", "EMAIL", "SMS", "SOCIAL", "IN_PERSON", "OTHER", "FROM_THE_FUTURE"])
@pytest.mark.parametrize("locale", LOCALES)
def test_holding_is_honest(locale: str, channel: str) -> None:
    """Since when they wait, that nobody has got to it, what happens next, and no time that nobody knows."""
    one = written("response_watch/holding", locale, {"channel": channel})
    is_well_written(one)
    facts = {
        "en-US": ("6:22 pm on Sunday, February 8", "about 15 minutes", "none of us has", "we promise no time"),
        "de-DE": ("Sonntag, 8. Februar, um 18:22 Uhr", "etwa 15 Minuten", "noch niemand", "wir keine Uhrzeit"),
        "es-MX": ("domingo, 8 de febrero, 6:22 p.m.", "cerca de 15 minutos", "ninguno de nosotros", "no le prometemos"),
        "pt-BR": ("domingo, 8 de fevereiro, 18:22", "cerca de 15 minutos", "nenhum de nós", "não prometemos"),
        "fr-FR": ("dimanche 8 février à 18:22", "environ 15 minutes", "aucun de nous", "ne promettons donc pas"),
    }[locale]  # fmt: skip
    for fact in (*facts, "PNR-7Q2XKD"):
        assert fact in said(one)
    assert facts[0] in (one.short or "")
    assert "Asks whether" not in one.text, "what an agent noted is not the customer's to read in a letter"


def test_holding_says_how_they_asked() -> None:
    """In the words for the channel; and that we had thought it settled, if we had."""
    words = {
        "CALL": "You called us",
        "CHAT": "in the chat",
        "EMAIL": "an email",
        "SMS": "text message",
        "SOCIAL": "on social media",
        "IN_PERSON": "in person",
        "OTHER": "got in touch",
    }
    for channel, how in words.items():
        assert how in written("response_watch/holding", "en-US", {"channel": channel}).text
    back = written("response_watch/holding", "en-US", {"closed_before": "2026-02-06T16:05:00+00:00"})
    assert "We had thought this was settled on Friday, February 6" in back.text
    assert "settled" not in written("response_watch/holding", "en-US").text


@pytest.mark.parametrize("locale", LOCALES)
def test_the_saved_sale_has_the_link_the_price_and_the_coupon(locale: str) -> None:
    """Where it can be had, for how much, and what is theirs for next time; both links can be clicked."""
    one = written("out_of_stock_save/save", locale)
    price = {
        "en-US": "$119.90",
        "de-DE": "119,90 $",
        "es-MX": "USD119.90",
        "pt-BR": "US$ 119,90",
        "fr-FR": "119,90 $US",
    }[locale]
    for text in (said(one), one.short or ""):
        for fact in ("black ankle boots, size 41", "Hartmann Shoes", "https://hartmann.example/p/8841", price,
                     "ten percent off your next order", "K7QZ2MXA"):  # fmt: skip
            assert fact in text
    assert "Hartmann Shoes" in one.subject
    assert one.html is not None
    assert Page(one.html).links == [
        "https://hartmann.example/p/8841", "https://care.example/gifts/coupon", UNSUBSCRIBE
    ]  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_a_withheld_coupon_leaves_no_hole(locale: str) -> None:
    """Without the gesture the letter is about the link alone: no offer, no code, no empty box, no label of a link."""
    withheld = dict.fromkeys(("gesture_title", "gesture_link", "gesture_code"), "")
    with_it, without = written("out_of_stock_save/save", locale), written("out_of_stock_save/save", locale, withheld)
    is_well_written(without)
    assert "https://hartmann.example/p/8841" in said(without)
    assert set(said(without).split("\n\n")) < set(said(with_it).split("\n\n"))
    assert len(said(with_it).split("\n\n")) - len(said(without).split("\n\n")) == 2
    assert not re.search(r"(?i)code|código|gift", without.text)
    assert not re.search(r"(?i)code|código", without.short or "")
    assert without.html is not None
    assert 'class="gesture"' not in without.html
    assert Page(without.html).links == ["https://hartmann.example/p/8841", UNSUBSCRIBE]


def test_a_coupon_without_a_code_is_sent_on_request() -> None:
    """There is always a way to get it; and a code is asked for by nobody who has it."""
    neither = written("out_of_stock_save/save", "en-US", {"gesture_code": "", "gesture_link": ""})
    assert "Just reply to this message and we will get it to you." in neither.text
    code = written("out_of_stock_save/save", "en-US", {"gesture_link": ""})
    assert "Your code: K7QZ2MXA." in code.text
    assert "we will get it to you" not in code.text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a b"])
def test_a_sellers_link_that_is_none_is_left_out(link: str) -> None:
    """The letter goes without it, and reads well; nothing that could be clicked leads astray."""
    one = written("out_of_stock_save/save", "en-US", {"link": link})
    is_well_written(one)
    assert link not in one.text
    assert link not in (one.html or "")


@pytest.mark.parametrize("price", ["cheap", "NaN", "1E+999999"])
def test_a_price_that_is_none_is_a_fault(price: str) -> None:
    """Nobody is told a price that is not a number."""
    with pytest.raises(TemplateFault):
        written("out_of_stock_save/save", "en-US", {"price": price})


# -- tasks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", TASKS)
@pytest.mark.parametrize(
    ("locale", "zone", "told", "named"),
    [
        ("en-US", "America/New_York", "9:45 pm on Sunday, February 8", "(Eastern Time)"),
        ("de-DE", "Europe/Berlin", "Montag, 9. Februar, 03:45 Uhr", "(Mitteleuropäische Zeit)"),
        ("es-MX", "America/Mexico_City", "domingo, 8 de febrero, 8:45 p.m.", "(hora central)"),
        ("pt-BR", "America/Sao_Paulo", "domingo, 8 de fevereiro, 23:45", "(Horário de Brasília)"),
        ("fr-CA", "America/Toronto", "dimanche 8 février à 21 h 45", "(heure de l’Est)"),
        ("en-US", "UTC", "2:45 am UTC on Monday, February 9", "February 9."),
        ("en-US", "Mars/Olympus", "2:45 am UTC on Monday, February 9", "February 9."),
    ],
)
def test_a_task_says_who_and_by_when(template: str, locale: str, zone: str, told: str, named: str) -> None:
    """The title has both, the text has them first and names the zone: nobody has to look further to begin."""
    due = {"due_at": "2026-02-09T02:45:00+00:00"}
    one, nameless = written(template, locale, due, zone=zone), written(template, locale, {**due, "name": ""}, zone=zone)
    first = one.text.split("\n\n")[0]
    for text in (one.subject, first):
        assert "Ana Ruiz (c-48213)" in text
        assert told in text
    assert named in first
    for text in (nameless.subject, nameless.text.split("\n\n")[0]):
        assert "c-48213" in text
        assert "(c-48213)" not in text


@pytest.mark.parametrize("template", TASKS)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_task_says_what_good_looks_like_and_why_we_serve(template: str, locale: str) -> None:
    """It ends with both, and is no letter: no greeting, no page, no foot, nothing to unsubscribe from."""
    one = written(template, locale)
    good, serve = {
        "en-US": ("Done well: ", "Why we serve: "),
        "de-DE": ("Gut gelöst: ", "Warum wir das tun: "),
        "es-MX": ("Bien hecho: ", "Por qué lo hacemos: "),
        "pt-BR": ("Um bom trabalho: ", "Por que fazemos isto: "),
        "fr-FR": ("Un bon travail\xa0: ", "Pourquoi nous le faisons\xa0: "),
    }[locale]
    policy = next(policy for policy in POLICIES if policy.name == template.split("/")[0])
    *_, last_but_one, last = one.text.strip().split("\n\n")
    assert last_but_one.startswith(good)
    assert last == serve + policy.why[locale[:2]]
    assert (one.html, one.short) == (None, None)
    assert "-- \n" not in one.text
