"""Formats times, durations and amounts of money as people say them in the customer's time zone and language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name, match_skeleton
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit
from jinja2 import pass_context
from jinja2.runtime import Context

from processors.letters.numbers import is_bounded
from streams.clock import in_zone

_LONGEST_AMOUNT = 15  # digits, so that 1E+999999 is not written in full
_ABOUT = {"en": "about", "de": "etwa", "es": "cerca de", "pt": "cerca de", "fr": "environ"}

# All passengers of a flight get the same times, and formatting them takes half the time of rendering a letter.
_remembered = lru_cache(maxsize=4_096)


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Formats times in one zone and one language. ``zone`` is None if the customer's is unknown: times are then in UTC,
    and each says so."""

    locale: Locale
    zone: ZoneInfo | None

    @classmethod
    def of(cls, *, locale: Locale, time_zone: str) -> Self:
        """A teller for an IANA zone name. An unknown zone is not an error: the customer still gets the letter."""
        try:
            return cls(locale=locale, zone=ZoneInfo(time_zone))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return cls(locale=locale, zone=None)

    @_remembered
    def clock(self, at: datetime) -> str:
        """``9:45 pm``, ``21:45 Uhr``; followed by ``UTC`` if the zone is unknown."""
        said = _plain(format_time(self._local(at), "short", locale=self.locale))
        if self.locale.language == "en":
            said = said.replace("AM", "am").replace("PM", "pm")
        elif self.locale.language == "de":
            said = f"{said} Uhr"
        return f"{said} UTC" if self._is_utc else said

    @_remembered
    def day(self, at: datetime) -> str:
        """``Friday, February 8``, ``vendredi 8 février``."""
        return _plain(format_date(self._local(at).date(), _day_pattern(self.locale), locale=self.locale))

    @_remembered
    def zone_name(self) -> str:
        """``Eastern Time``; ``UTC`` where the zone is unknown."""
        if self.zone is None or self._is_utc:
            return "UTC"
        try:
            return get_timezone_name(self.zone, locale=self.locale)
        except LookupError:  # babel has no name for the zone's region in this language
            return self.zone.key

    @_remembered
    def money(self, amount: Decimal, currency: str) -> str:
        """``$119.90``, ``119,90 $``; only the number if ``currency`` is "". Raises ValueError for an invalid amount."""
        if not amount.is_finite() or abs(amount.adjusted()) > _LONGEST_AMOUNT:
            raise ValueError(f"{amount} is not an amount of money")
        if not currency:
            return _plain(format_decimal(amount, "#,##0.00", locale=self.locale))
        return _plain(format_currency(amount, currency, locale=self.locale))

    @_remembered
    def duration(self, minutes: float) -> str:
        """``about 2 hours``: never more precise than an estimate can be."""
        about = _ABOUT.get(self.locale.language, "~")
        minutes = max(minutes, 0)
        count: float
        if minutes < 57.5:
            count, unit = max(5 * round(minutes / 5), 5), "minute"
        elif minutes < 23.75 * 60:
            count, unit = round(minutes / 30) / 2, "hour"
        else:
            count, unit = round(minutes / 720) / 2, "day"
        number = int(count) if count == int(count) else count
        return f"{about} {_plain(self._counted(number, f'duration-{unit}'))}"

    def labelled(self, label: str, value: str) -> str:
        """``Pick it up here: https://care.example``; only the value if there is no label."""
        colon = "\xa0: " if self.locale.language == "fr" else ": "
        return f"{label}{colon}{value}" if label else value

    def _counted(self, number: float, unit: str) -> str:
        said = format_unit(number, unit, locale=self.locale)
        # CLDR omits the long form if it equals the short one, and babel then says "3 duration-day"
        return format_unit(number, unit, length="short", locale=self.locale) if unit in said else said

    @property
    def _is_utc(self) -> bool:
        return self.zone is None or self.zone.key in ("UTC", "Etc/UTC", "Zulu", "Etc/UCT", "UCT")

    def _local(self, at: datetime) -> datetime:
        return in_zone(at, self.zone or UTC)


@_remembered
def _day_pattern(locale: Locale) -> str:
    """The locale's pattern for weekday, day and month in full."""
    known = locale.datetime_skeletons
    skeleton = next((one for one in ("MMMMEEEEd", "MMMMEd") if one in known), None)
    skeleton = skeleton or match_skeleton("MMMMEd", known) or "MMMEd"
    return re.sub("E+|c+", "EEEE", re.sub("MMM+|LLL+", lambda month: month[0][0] * 4, known[skeleton].pattern))


def _plain(said: str) -> str:
    """``said`` with ordinary spaces, so that a narrow space does not force a subject line to be encoded."""
    return said.replace("\u202f", " ").replace("\xa0", " ")


# -- in a letter -------------------------------------------------------------------------------------------------------

TELLER = "_teller"
"""The variable under which a letter's filters find their :class:`Telling`."""


@dataclass(slots=True)
class Telling:
    """The teller of a letter, and whether the letter told any time."""

    teller: Teller
    told: bool = False


def moment(value: str) -> datetime:
    """The time in a variable. Raises ValueError if it is not a time, or has no zone."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(f"{value!r} is a time without a zone")
    return at


@pass_context
def _clock(context: Context, value: str) -> str:
    telling: Telling = context[TELLER]
    telling.told = True
    return telling.teller.clock(moment(value))


@pass_context
def _day(context: Context, value: str) -> str:
    telling: Telling = context[TELLER]
    telling.told = True
    return telling.teller.day(moment(value))


@pass_context
def _last_day(context: Context, value: str) -> str:
    """The last day before that time; midnight counts as the end of the previous day."""
    telling: Telling = context[TELLER]  # no hour is told, so the letter need not name the zone
    return telling.teller.day(moment(value) - timedelta(milliseconds=1))


@pass_context
def _duration(context: Context, minutes: str) -> str:
    telling: Telling = context[TELLER]
    return telling.teller.duration(_minutes(minutes))


@pass_context
def _money(context: Context, amount: str, currency: str) -> str:
    telling: Telling = context[TELLER]
    return telling.teller.money(Decimal(amount), currency)


def _capital(value: str) -> str:
    """``value`` with a capital first letter, for the beginning of a sentence; the rest unchanged."""
    return value[:1].upper() + value[1:]


def _minutes(value: str) -> float:
    minutes = float(value)
    if not is_bounded(minutes):
        raise ValueError(f"{value!r} is not a duration")
    return minutes


def _earlier_than(value: str, other: str) -> bool:
    return moment(value) < moment(other)


def _beginning_with(value: str, word: str) -> bool:
    return value == word or value.startswith(f"{word} ")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "clock": _clock,
    "day": _day,
    "last_day": _last_day,
    "duration": _duration,
    "minutes": _minutes,
    "money": _money,
    "capital": _capital,
}
TESTS: Mapping[str, Callable[..., bool]] = {"earlier_than": _earlier_than, "beginning_with": _beginning_with}
"""The filters and tests of letters, by name."""
