"""Models of playbook sections, which validate a section and make its rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from processors.journey.playbook import (
    Budget,
    GestureOffer,
)
from processors.playbook.faults import Misfit, refuse
from processors.playbook.values import (
    Link,
    Locale,
    Money,
    Slug,
    Text,
    Window,
)

DEFAULT = "default"

T = TypeVar("T")


class Section(BaseModel):
    """A mapping that accepts known names only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GestureSection(Section):
    """A gesture that may be given."""

    code: Slug
    title: dict[Locale, Text]
    cost: Money
    link: Link | None = None

    @model_validator(mode="after")
    def _in_english(self) -> Self:
        if "en" not in self.title:
            refuse([(("title",), "needs an English text (en), which serves wherever a language is missing")])
        return self

    def offer(self, currency: str) -> GestureOffer:
        """Return the gesture, with its cost in that currency."""
        return GestureOffer(code=self.code, title=self.title, cost=self.cost, currency=currency, link=self.link)


class BudgetSection(Section):
    """A limit on the cost of gestures within a window."""

    most: Money
    window: Window


def _budgets(budgets: list[BudgetSection]) -> list[BudgetSection]:
    refuse(twice((budget.window for budget in budgets), below="window"))
    return budgets


Budgets = Annotated[list[BudgetSection], AfterValidator(_budgets)]
"""Budgets with different windows."""


def budgets(sections: Iterable[BudgetSection]) -> tuple[Budget, ...]:
    """Return the budgets in the order of the file."""
    return tuple(Budget(most=one.most, window=one.window) for one in sections)


def with_default(entries: dict[str, T]) -> dict[str, T]:
    """Return the entries. Raises ValueError if the entry for all others is missing."""
    if DEFAULT not in entries:
        raise ValueError(f"needs an entry `{DEFAULT}`, which serves whatever has none of its own")
    return entries


def twice(keys: Iterable[object], *around: str, below: str | None = None) -> Iterator[Misfit]:
    """Yield the entries of the list at ``around`` whose key has occurred before."""
    seen: dict[object, int] = {}
    for at, key in enumerate(keys):
        if key in seen:
            yield (*around, at, *([below] if below else [])), f"stands twice, in entry {seen[key]} already"
        else:
            seen[key] = at
