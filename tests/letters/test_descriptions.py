"""Sentences do not break on what publishers write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.letters.quoting import phrase, quoted
from tests.letters.test_letters import LOCALES, is_well_written, said, written

LETTERS = ["delay_care/cancelled", "delay_care/longer", "delay_care/notice", "delay_care/revised",
           "out_of_stock_save/save"]  # fmt: skip

DESCRIPTIONS = [
    "desk lamp", "your desk lamp", "the desk lamp", "a desk lamp", "Your desk lamp", "YOUR DESK LAMP", "my lamp",
    "Ihre Schreibtischlampe", "die Lampe", "eine Lampe", "su lámpara", "la lámpara", "una lámpara", "a sua luminária",
    "o abajur", "uma luminária", "votre lampe", "la lampe", "une lampe", "l’abat-jour", "desk lamp.", "desk lamp...",
    "desk lamp!", "Is it a lamp?", "desk\nlamp", "desk\r\n\r\nlamp", "  desk   lamp  ", "", " ", ".", '"desk lamp"',
    "“desk lamp”", "desk lamp (small)", "order 4711", "Order 4711", "orders of May", "flight", "המנורה שלך",
    "مصباح مكتب", "desk lamp \u202ereversed", "机のランプ。", "desk lamp, " * 60, "x" * 400, "{{ 7 * 7 }} {% if %}",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["order", "flight", "hovercraft"])
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", LETTERS)
def test_any_description_stands_in_its_sentence(template: str, locale: str, kind: str) -> None:
    """With or without an article or a possessive, in any language, of any length: no stutter, no hole, one paragraph
    where there was one, and nothing after it is turned around."""
    plain = written(template, locale, {"description": "desk lamp", "subject_kind": kind})
    for description in DESCRIPTIONS:
        one = written(template, locale, {"description": description, "subject_kind": kind})
        for text in (one.subject, one.text, one.short or ""):
            # an article of theirs never follows one of ours: theirs stands in brackets, or after a colon
            assert not re.search(r"(?i)\b(your|ihre?|su|seu|sua|votre) (your|the|a|my|su|la|votre|une?|die|o)\b", text)
            assert not re.search(r"(?i)\byour your\b|[\u202a-\u202e]|\( |\(\)| \)|\.\.(?!\.)|::", text)
            assert text.count("\u2068") == text.count("\u2069")
        assert said(one).count("\n\n") == plain.text.split("\n\n-- \n")[0].count("\n\n")
        assert len(one.subject) < 260


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", LETTERS)
def test_a_thing_without_a_name_is_still_one(template: str, locale: str) -> None:
    """Where the publisher gave none, the letter is about the order, and has no empty brackets."""
    for description in ("", " ", "...", "\n"):
        is_well_written(written(template, locale, {"description": description, "subject_kind": "order"}))


def test_in_english_a_name_that_begins_with_its_kind_reads_on() -> None:
    """'Your flight UA 571 to Houston', as the contract wants it written; anything else is set apart."""
    letter = written("delay_care/notice", "en", {"description": "flight UA 571 to Houston"}).text
    assert "your flight UA 571 to Houston is running late" in letter
    lamp = {"subject_kind": "order", "description": "your desk lamp"}
    assert "your order (your desk lamp) is running late" in written("delay_care/notice", "en", lamp).text
    assert "your order is running late" in written("delay_care/notice", "en", {**lamp, "description": ""}).text


@given(st.text(max_size=600))
def test_a_description_is_one_short_line(text: str) -> None:
    """Whatever it was, it ends as a thing does and not as a sentence."""
    line = phrase(text)
    assert "\n" not in line
    assert len(line) <= 121
    assert not line.endswith((".", "!", "?", ",", ";", ":", " "))


@given(st.text(max_size=80))
def test_a_quoted_text_turns_nothing_around_it(text: str) -> None:
    """Marks of direction are balanced, whatever it came with, in a letter of either direction."""
    for within in ("en", "he"):
        line = quoted(text, within=within)
        assert (line.count("\u2068"), line.count("\u2069")) in ((0, 0), (1, 1))
        assert not re.search("[\u202a-\u202e\u2066\u2067]", line)
