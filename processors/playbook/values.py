"""Types of the values in a playbook: durations, times of day, amounts, shares, names. Their errors say what would be
right."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from processors.journey.playbook import FOOT, GLOBAL, WHY
from processors.journey.state import KEEP_CLOSED
from processors.language import canonical
from processors.letters.lures import link
from processors.policies.registry import names
from streams import durations
from streams.events import OutreachChannel

_QUOTED = 60
_LONGEST = timedelta(days=365)


def shown(value: Any) -> str:
    """Return the value as an error message quotes it."""
    whole = repr(value)
    return whole if len(whole) <= _QUOTED else f"{whole[:_QUOTED]}..."


def _duration(value: Any) -> timedelta:
    try:
        length = durations.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{shown(value)} is not a duration; write 30m, 2h or 1d") from None
    if length > _LONGEST:
        raise ValueError(f"{shown(value)} is too long; at most {_LONGEST.days}d")
    return length


def _some(value: Any) -> timedelta:
    length = _duration(value)
    if not length:
        raise ValueError(f"{shown(value)} has to be longer than nothing")
    return length


def _window(value: Any) -> timedelta:
    window = _duration(value)
    if not timedelta(0) < window <= KEEP_CLOSED:
        raise ValueError(
            f"{shown(value)} has to be longer than nothing and at most {KEEP_CLOSED.days}d; no more is remembered"
        )
    return window


def _time_of_day(value: Any) -> time:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return time.fromisoformat(value)
    raise ValueError(f'{shown(value)} is not a time of day; write it in quotes, as "22:00"')


@cache
def _time_zones() -> frozenset[str]:
    """Return the known time zones; cached, because listing them reads hundreds of files."""
    return frozenset(available_timezones())


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError(f"{shown(name)} is not an IANA time zone such as Europe/Vienna")
    return name


def _language(tag: str) -> str:
    if canonical(tag) is None:
        raise ValueError(f"{shown(tag)} is not a known language")
    return tag


def _money(value: Any) -> Decimal:
    written = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?", written):
        raise ValueError(f'{shown(value)} is not an amount; write "4.50", not below zero, with at most two decimals')
    return Decimal(written).quantize(Decimal("0.01"))


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1 or math.isnan(value):
        raise ValueError(f"{shown(value)} is not a share; write a number from 0 to 1, such as 0.1 for one in ten")
    return float(value)


def _customers_channel(value: Any) -> OutreachChannel:
    reachable = [one.value for one in OutreachChannel if one not in _NOT_THE_CUSTOMERS]
    if value not in reachable:
        raise ValueError(f"{shown(value)} is not a channel to a customer; there are {', '.join(reachable)}")
    return OutreachChannel(value)


_NOT_THE_CUSTOMERS = (OutreachChannel.OTHER, OutreachChannel.AGENT_TASK)
"""Unknown channels of a newer contract, and tasks, which go to employees and have no caps and no quiet hours."""


def is_letter(name: str) -> bool:
    """Return whether it can be a letter's name: the policy that sends it, and the occasion."""
    policy, _, occasion = name.partition("/")
    return policy in names() and re.fullmatch(r"[a-z0-9_]+", occasion) is not None


def _named(pattern: str, problem: str) -> Any:
    return _one_of(re.compile(pattern).fullmatch, lambda: problem)


def _one_of(fits: Callable[[str], object], problem: Callable[[], str]) -> Any:
    def check(value: Any) -> str:
        if isinstance(value, int | float):
            raise ValueError(f"{shown(value)} has to be a text; write it in quotes")
        if not isinstance(value, str) or not fits(value):
            raise ValueError(f"{shown(value)} {problem()}")
        return value

    return BeforeValidator(check)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""0s to 365d."""
Some = Annotated[timedelta, BeforeValidator(_some)]
"""A duration longer than zero."""
Window = Annotated[timedelta, BeforeValidator(_window)]
"""A duration within which a customer's state remembers what has ended."""
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Money = Annotated[Decimal, BeforeValidator(_money)]
Share = Annotated[float, BeforeValidator(_share)]
Count = Annotated[int, Field(strict=True)]
CustomersChannel = Annotated[OutreachChannel, BeforeValidator(_customers_channel)]

Slug = Annotated[
    str,
    _named(
        r"[a-z0-9][a-z0-9-]{0,63}", "is not a valid name; write small letters, digits and hyphens, such as care-leads"
    ),
]
Seed = Annotated[str, StringConstraints(min_length=1, max_length=200, strict=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strict=True)]
Locale = Annotated[
    str,
    _named(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*", "is not a locale; write en, de or es-MX"),
    AfterValidator(_language),
]
Link = Annotated[
    str,
    _named(r"https://[^\s/?#]+\S*", "is not a link; a link begins with https:// and has no spaces"),
    AfterValidator(link),
]
Currency = Annotated[str, _named(r"[A-Z]{3}", "is not a currency; write three capital letters, such as USD")]
_NO_LETTER = "is not a letter; write a policy and a name, such as delay_care/notice"

Letter = Annotated[str, _one_of(is_letter, lambda: _NO_LETTER)]
TextsOf = Annotated[str, _one_of(lambda name: name in (FOOT, WHY) or is_letter(name), lambda: _NO_LETTER)]
"""A letter, or the footer of all letters, or the whys of policies."""
Policy = Annotated[
    str, _one_of(lambda name: name in names(), lambda: f"is not a policy; there are {', '.join(names())}")
]
HeldOut = Annotated[
    str,
    _one_of(
        lambda name: name in (GLOBAL, *names()),
        lambda: f"is not a policy; there are {', '.join(names())}, and {GLOBAL} for all",
    ),
]
Words = Annotated[str, StringConstraints(strict=True)]
"""A part of a letter, as a template; :mod:`processors.playbook.words` validates it."""
