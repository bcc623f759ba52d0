"""Times as a person would say them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from babel import Locale

from processors.language import locale_of
from processors.letters.telling import Teller

AT = datetime(2013, 2, 9, 2, 45, tzinfo=UTC)


def teller(locale: str = "en_US", zone: str = "America/New_York") -> Teller:
    return Teller.of(locale=Locale.parse(locale), time_zone=zone)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (-5, "about 5 minutes"), (0, "about 5 minutes"), (38, "about 40 minutes"), (57, "about 55 minutes"),
        (58, "about 1 hour"), (74, "about 1 hour"), (76, "about 1.5 hours"), (125, "about 2 hours"),
        (1424, "about 23.5 hours"), (1425, "about 1 day"), (2200, "about 1.5 days"), (20000, "about 14 days"),
    ],
)  # fmt: skip
def test_lengths_of_time_are_no_more_precise_than_anyone_can_know(minutes: float, said: str) -> None:
    """Five minutes, half hours, half days."""
    assert teller().duration(minutes) == said


def test_lengths_of_time_in_other_languages() -> None:
    """With the decimal sign and the plural of the place."""
    assert teller("de_DE").duration(150) == "etwa 2,5 Stunden"
    assert teller("es_ES").duration(60) == "cerca de 1 hora"
    assert teller("es_MX").duration(150) == "cerca de 2.5 horas"
    assert teller("fr_FR").duration(120) == "environ 2 heures"


def test_the_day_is_the_customer_s_own() -> None:
    """A quarter to three in London is still the evening before in New York."""
    assert (teller().clock(AT), teller().day(AT)) == ("9:45 pm", "Friday, February 8")
    assert teller("en_GB", "Europe/London").day(AT) == "Saturday 9 February"
    assert teller("de_DE", "Asia/Kolkata").clock(AT) == "08:15 Uhr"
    assert teller("es_ES", "Europe/Madrid").day(AT) == "sábado, 9 de febrero"


def test_the_zone_has_a_name() -> None:
    """So that nobody has to guess."""
    assert teller().zone_name() == "Eastern Time"
    assert teller("de_DE", "Europe/Berlin").zone_name() == "Mitteleuropäische Zeit"
    assert teller(zone="UTC").zone_name() == "UTC"
    assert teller(zone="nowhere").zone_name() == "UTC"
    assert teller(zone="nowhere").zone is None


@pytest.mark.parametrize(
    ("tag", "locale"),
    [("es-MX", "es_MX"), ("es_MX", "es_MX"), ("zh-Hant-TW", "zh_Hant_TW"), ("de-DE-u-co-phonebk", "de_DE"),
     ("en-XX", "en"), ("xx", None), ("", None), ("!", None)],
)  # fmt: skip
def test_locale_tags(tag: str, locale: str | None) -> None:
    """As much of a tag as is known."""
    assert locale_of(tag) == (None if locale is None else Locale.parse(locale))


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "said"),
    [
        ("en_US", "119.90", "USD", "$119.90"), ("de", "119.9", "USD", "119,90 $"),
        ("de", "1119.90", "EUR", "1.119,90 €"), ("es", "6", "EUR", "6,00 €"), ("es_MX", "6", "USD", "USD6.00"),
        ("en_US", "800", "JPY", "¥800"), ("en_US", "6", "XQQ", "XQQ6.00"), ("en_US", "1119.9", "", "1,119.90"),
        ("de", "0", "", "0,00"),
    ],
)  # fmt: skip
def test_money_as_it_is_written_there(locale: str, amount: str, currency: str, said: str) -> None:
    """With the sign of the currency where it is known, and always its own number of decimals."""
    assert teller(locale).money(Decimal(amount), currency) == said


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1E+999999", "1E-999999"])
def test_what_is_no_amount_is_not_told(amount: str) -> None:
    """Nor is a number that would fill a book."""
    with pytest.raises(ValueError, match="amount of money"):
        teller().money(Decimal(amount), "USD")
