"""A letter about several things lists them, each in a line of its own."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from processors.letters.errors import TemplateFault
from processors.letters.examples import example_items, examples
from processors.letters.templates import Templates
from processors.letters.texts import check_texts
from processors.letters.wording import Written
from streams.events import OutreachChannel, replace
from tests.letters.test_previews import previewed
from tests.letters.test_templates import Page
from tests.outreach.given import request

LOCALES = ["en-US", "de-DE", "es-MX", "pt-BR", "fr-FR"]
SEVERAL = "delay_care/several"
PACKAGED = Templates()
CLOCK = re.compile(r"\d:\d\d|Uhr|\b[ap]\.?m\b")
BY_DAY = {
    "subject_kind": "parcel",
    "description": "brass desk lamp",
    "promised_at": "2026-02-13T23:59:59+00:00",
    "expected_at": "2026-02-17T00:00:00+00:00",
    "previous_expected_at": "",
    "wait_minutes": "4320",
    "by_day": "yes",
    "next_update": "2880",
}


def several(locale: str = "en-US", *items: dict[str, str], letters: Templates = PACKAGED, **variables: str) -> Written:
    """The letter about the examples' things, or about ``items``, which are laid over the first of them."""
    known = example_items(SEVERAL, locale)
    listed = tuple({**known[0], **item} for item in items) or known
    asked = request(template=SEVERAL, locale=locale)
    said = {**examples(locale)[SEVERAL], "count": str(len(listed)), **variables}
    return letters.render(replace(asked, variables=said, items=listed))


def lines(one: Written) -> list[str]:
    """The list as it stands in the text."""
    return [part.removeprefix("• ") for part in one.text.split("\n\n") if part.startswith("• ")]


def listed(one: Written) -> list[str]:
    """The list as it stands on the page."""
    assert one.html is not None
    return [html.unescape(item) for item in re.findall(r"<li[^>]*>(.*?)</li>", one.html)]


def waiting(letter: str, locale: str = "en-US", **variables: str) -> Written:
    """A letter about a parcel that was promised for a day."""
    asked = request(template=f"delay_care/{letter}", locale=locale)
    none = {"gesture_title": "", "gesture_link": ""}
    said = {**examples(locale)[f"delay_care/{letter}"], **BY_DAY, **none, **variables}
    return PACKAGED.render(replace(asked, variables=said, time_zone="UTC"))


@pytest.mark.parametrize("locale", LOCALES)
def test_each_thing_has_a_line(locale: str) -> None:
    """After the body and before the gesture, the same in the text and on the page, and in the few words too."""
    one = several(locale)
    items = example_items(SEVERAL, locale)
    assert len(lines(one)) == len(items) == 3
    for line, item in zip(lines(one), items, strict=True):
        assert item["description"] in line
        assert one.short is not None
        assert f"• {line}" in one.short
    assert listed(one) == lines(one)
    assert one.text.index("• ") < one.text.index(examples(locale)[SEVERAL]["gesture_title"])
    assert one.text.count(examples(locale)[SEVERAL]["gesture_title"]) == 1
    assert one.html is not None
    assert one.html.count("<ul") == 1
    assert f'lang="{locale}"' in one.html


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("standing", ["cancelled", "silent", "over", ""])
@pytest.mark.parametrize("promised_at", [BY_DAY["promised_at"], ""])
@pytest.mark.parametrize("expected_at", [BY_DAY["expected_at"], ""])
@pytest.mark.parametrize("reason", ["PREDICTIVE", "WAREHOUSE", "OTHER"])
def test_a_line_is_whole_however_it_stands(
    locale: str, standing: str, promised_at: str, expected_at: str, reason: str
) -> None:
    """Nothing is missing in it, nothing stands twice, and a day is told as a day."""
    for by_day in ("yes", ""):
        item = {"promised_at": promised_at, "expected_at": expected_at, "reason": reason, "by_day": by_day}
        one = several(locale, {**item, **({standing: "yes"} if standing else {})}, {})
        line = lines(one)[0]
        assert line[0].isupper()
        assert line.endswith((".", "m."))
        assert not re.search(r"None|\{\{|\{%|  | ,| \.|\.\.|: \.|:\s*$|\(\)", line), line
        if by_day:
            assert not CLOCK.search(line), line


def test_what_lines_say() -> None:
    """What is known of each, and an estimate of ours is called one."""
    late, open_, cancelled, silent, over, guess = lines(
        several(
            "en-US",
            {},
            {"expected_at": ""},
            {"cancelled": "yes"},
            {"silent": "yes", "expected_at": ""},
            {"over": "yes"},
            {"reason": "PREDICTIVE"},
        )
    )
    assert "was due to arrive on Friday, February 13. New date: Wednesday, February 18." in late
    assert "We do not know the new date yet." in open_
    assert "has been cancelled" in cancelled
    assert "we have no word of it yet; a colleague is finding out" in silent
    assert "the wait is over" in over
    assert "may run late" in guess
    assert "Our own estimate: Wednesday, February 18." in guess


def test_what_a_line_says_is_never_markup() -> None:
    """A description becomes no tag and no second line, wherever it stands."""
    name = "<b>lamp</b>\r\n• {{ 7 * 7 }}."
    one = several("en-US", {"description": name}, {})
    assert one.html is not None
    assert "b" not in Page(one.html).tags
    assert "&lt;b&gt;lamp&lt;/b&gt;" in one.html
    assert "(<b>lamp</b> • {{ 7 * 7 }})" in lines(one)[0]
    assert len(lines(one)) == len(listed(one)) == 2


def test_a_time_that_cannot_be_meant_is_not_told_in_a_line() -> None:
    """As in any other letter."""
    one = several("en-US", {"expected_at": "9999-12-31T23:59:59+00:00"}, {})
    assert "We do not know the new date yet." in lines(one)[0]


def test_a_long_list_stays_out_of_the_few_words() -> None:
    """Twenty things are no text message; how many there are, and that an answer helps, is."""
    one = several("en-US", *[{}] * 20)
    assert len(lines(one)) == 20
    assert one.short is not None
    assert "20 of your orders and bookings" in one.short
    assert "• " not in one.short
    assert len(one.short) < 320


def test_a_playbook_may_write_the_line() -> None:
    """It is a part like any other, written with the variables of a thing, and never without a thing."""
    own = {SEVERAL: {"en": {"line": "{{ description }}: {{ expected_at | day }}"}}}
    assert check_texts(own) == []
    one = several("en-US", {}, {"description": "two novels"}, letters=Templates(texts=own))
    assert lines(one) == ["brass desk lamp, order 4711: Wednesday, February 18", "two novels: Wednesday, February 18"]
    assert "This is how things stand with 2" in one.text
    [fault] = check_texts({SEVERAL: {"en": {"line": "{{ descriptoin }}"}}})
    assert "'descriptoin'" in str(fault)


def test_a_letter_without_a_line_lists_nothing() -> None:
    """Whatever its request carries; and one that could list is as it was where its request has nothing to list."""
    items = example_items(SEVERAL)
    asked = request()
    assert PACKAGED.render(replace(asked, items=items)) == PACKAGED.render(asked)
    own: dict[str, Any] = {"en": {"subject": "words", "body": "words", "line": "{{ name }} {{ nowhere | day }}"}}
    letters = Templates(texts={"mine/letter": own})
    with pytest.raises(TemplateFault, match="nowhere"):
        letters.render(request(template="mine/letter"))
    own["en"]["line"] = "{{ expected_at | day }}"
    one = Templates(texts={"mine/letter": own}).render(request(template="mine/letter", variables={"expected_at": ""}))
    assert one.text.startswith("words\n\n-- ")


def test_a_preview_shows_the_list() -> None:
    """With the examples' things."""
    one = previewed(SEVERAL, "--locale", "de")
    for item in example_items(SEVERAL, "de"):
        assert f"({item['description']})" in one["text"]
        assert f"({item['description']})" in one["html"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("letter", ["notice", "longer", "revised", "cancelled", "silent", "update", "over", "several"])
@pytest.mark.parametrize("expected_at", [BY_DAY["expected_at"], ""])
def test_a_day_has_no_clock_time(letter: str, locale: str, expected_at: str) -> None:
    """What was promised for a day is told as a day, and nobody needs to know a time zone for it."""
    if letter == "several":
        one = several(locale, {"expected_at": expected_at}, {"cancelled": "yes"})
    else:
        one = waiting(letter, locale, expected_at=expected_at, previous_expected_at="2026-02-16T00:00:00+00:00")
    assert not CLOCK.search(f"{one.subject}\n{one.text}\n{one.short}")
    assert "UTC" not in one.text


def test_midnight_is_the_end_of_the_day_before() -> None:
    """As is the last second of it."""
    assert "It was due to arrive on Friday, February 13." in waiting("notice").text
    assert "the new date is Monday, February 16," in waiting("notice").text
    assert "due to arrive on Friday, February 13." in waiting("notice", promised_at="2026-02-14T00:00:00+00:00").text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("letter", ["notice", "longer", "revised", "silent", "update"])
def test_the_next_word_is_promised_only_where_it_is_due(letter: str, locale: str) -> None:
    """The length of the wait for it is told where the new time is unknown and it is known; not with the last word."""
    two_days = {"en": "about 2 days", "de": "in etwa 2 Tagen", "es": "cerca de 2 días", "pt": "cerca de 2 dias"}
    said = two_days.get(locale[:2], "environ 2 jours")
    assert said in waiting(letter, locale, expected_at="", wait_minutes="0").text
    assert said not in waiting(letter, locale, expected_at="", wait_minutes="0", next_update="").text
    if letter == "update":
        assert said not in waiting(letter, locale, expected_at="", last="yes").text


def test_a_cancellation_of_what_was_not_promised_names_no_time() -> None:
    """The sentence is left out, not left open."""
    for locale in LOCALES:
        text = waiting("cancelled", locale, promised_at="", expected_at="").text
        assert not re.search(r"13|  | \.|\.\.|: \.", text.split("-- ")[0])


def test_a_promise_that_passed_is_a_task() -> None:
    """Staff learns what was promised, and by which name a report of it has to go."""
    asked = request(template="promise_watch/find_out", policy="promise_watch")
    given = {**examples()["promise_watch/find_out"], "subject": "parcel A1", "order_id": "4711"}
    task = PACKAGED.render(replace(asked, variables=given), channel=OutreachChannel.AGENT_TASK)
    assert "brass desk lamp (parcel A1, order 4711)" in task.text
    assert "The promised time has passed: Friday, February 13." in task.text
