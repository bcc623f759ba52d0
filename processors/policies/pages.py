"""What a policy says of itself on the page of a playbook, which ``careline playbook show`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processors.journey.playbook import Budget, GestureOffer
from streams.durations import spelled


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of what follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A table."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Fields:
    """Entries of a section with their values, as the file has them."""

    section: Mapping[str, Any]


Block = Heading | Line | Rows | Fields
"""A piece of the page."""


def gesture(offer: GestureOffer) -> tuple[str, str, str]:
    """Its title, its code and its cost."""
    return offer.title["en"], offer.code, f"{offer.cost} {offer.currency}"


def budget_rows(budgets: Iterable[Budget], currency: str) -> Rows:
    """A row for each budget."""
    return Rows(("at most", "in any"), [(f"{one.most} {currency}", spelled(one.window)) for one in budgets])
