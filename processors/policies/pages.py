"""The blocks from which a policy builds its section of ``careline playbook show``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processors.journey.playbook import Budget, GestureOffer
from streams.durations import spelled


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of the blocks that follow."""

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
    """Entries of a playbook section with their values, as in the file."""

    section: Mapping[str, Any]


Block = Heading | Line | Rows | Fields
"""One block of the page."""


def gesture(offer: GestureOffer) -> tuple[str, str, str]:
    """Return the gesture's title, code and cost."""
    return offer.title["en"], offer.code, f"{offer.cost} {offer.currency}"


def budget_rows(budgets: Iterable[Budget], currency: str) -> Rows:
    """Return a table with a row for each budget."""
    return Rows(("at most", "in any"), [(f"{one.most} {currency}", spelled(one.window)) for one in budgets])
