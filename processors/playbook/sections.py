"""The sections of a playbook file, one for each policy, as they are checked; each makes its rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from processors.journey.playbook import (
    AgentGestures,
    Budget,
    CaringRules,
    GestureOffer,
    MentionRules,
    RecoveryRules,
    ResponseClock,
    ResponseRules,
    StockRules,
)
from processors.playbook.faults import Misfit, refuse
from processors.playbook.values import (
    Count,
    Link,
    Locale,
    Money,
    Seed,
    Share,
    Slug,
    Some,
    Text,
    Window,
)
from streams.events import Channel, Purpose

DEFAULT = "default"

T = TypeVar("T")


class Section(BaseModel):
    """A mapping whose names are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GestureSection(Section):
    """Something kind that may be given."""

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
        """The gesture, its cost in that currency."""
        return GestureOffer(code=self.code, title=self.title, cost=self.cost, currency=currency, link=self.link)


class ClockSection(Section):
    """How long a contact may stay without a person's answer."""

    holding_after: Some
    escalate_after: Some

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.escalate_after <= self.holding_after:
            refuse([(("escalate_after",), "has to be longer than holding_after")])
        return self


def _clocks(clocks: dict[str, ClockSection]) -> dict[str, ClockSection]:
    channels = [one.value for one in Channel if one is not Channel.OTHER]
    refuse(
        ((name,), f"is not a channel of a contact; there are {', '.join(channels)}, and {DEFAULT} for the others")
        for name in clocks
        if name not in (*channels, DEFAULT)
    )
    return with_default(clocks)


class ResponseSection(Section):
    """Response watch."""

    clocks: Annotated[dict[str, ClockSection], AfterValidator(_clocks)]
    holding_useful: Some
    escalate_to: Slug
    escalated_due: Some
    came_back_within: Window

    def rules(self) -> ResponseRules:
        """The policy's rules."""
        clocks = {
            name: ResponseClock(holding_after=clock.holding_after, escalate_after=clock.escalate_after)
            for name, clock in self.clocks.items()
        }
        return ResponseRules(
            clocks=clocks,
            holding_useful=self.holding_useful,
            escalate_to=self.escalate_to,
            escalated_due=self.escalated_due,
            came_back_within=self.came_back_within,
        )


class MentionSection(Section):
    """Mention reply."""

    thanks_by: Slug
    thanks_within: Some
    rescue_by: Slug
    rescue_within: Some
    wide_reach: Annotated[Count, Field(ge=1)]
    wide_within: Some
    escalate_to: Slug
    escalated_due: Some

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.wide_within > self.rescue_within:
            refuse([(("wide_within",), "is longer than rescue_within: what many read is not to wait longer")])
        return self

    def rules(self) -> MentionRules:
        """The policy's rules."""
        return MentionRules(**dict(self))


class RecoverySection(Section):
    """Recovery and memorable moments. The scales are those of ``FeedbackGiven``: CSAT 1-5, NPS 0-10, CES 1-7."""

    csat_at_most: Annotated[Count, Field(ge=0, le=4)]
    nps_at_most: Annotated[Count, Field(ge=0, le=9)]
    ces_at_most: Annotated[Count, Field(ge=0, le=6)]
    team: Slug
    within: Some
    follow_up_after: Window
    follow_up_every: Window
    share_with: Slug

    def rules(self) -> RecoveryRules:
        """The policy's rules."""
        return RecoveryRules(**dict(self))


class StockSection(Section):
    """Out-of-stock save."""

    purpose: Purpose
    coupon: GestureSection
    useful: Window

    def rules(self, currency: str) -> StockRules:
        """The policy's rules."""
        return StockRules(purpose=self.purpose, coupon=self.coupon.offer(currency), useful=self.useful)


class CaringSection(Section):
    """Caring hands."""

    share: Share
    seed: Seed
    team: Slug
    useful: Window

    def rules(self) -> CaringRules:
        """The policy's rules."""
        return CaringRules(**dict(self))


class BudgetSection(Section):
    """An amount in a window."""

    most: Money
    window: Window


def _budgets(budgets: list[BudgetSection]) -> list[BudgetSection]:
    refuse(twice((budget.window for budget in budgets), below="window"))
    return budgets


Budgets = Annotated[list[BudgetSection], AfterValidator(_budgets)]
"""Budgets, each of another window."""


def budgets(sections: Iterable[BudgetSection]) -> tuple[Budget, ...]:
    """The budgets in the order of the file."""
    return tuple(Budget(most=one.most, window=one.window) for one in sections)


class AgentGesturesSection(Section):
    """What an employee may give without asking."""

    budgets: Annotated[Budgets, Field(min_length=1)]
    escalate_to: Slug
    escalated_due: Some

    def rules(self) -> AgentGestures:
        """The policy's rules."""
        return AgentGestures(
            budgets=budgets(self.budgets), escalate_to=self.escalate_to, escalated_due=self.escalated_due
        )


def with_default(entries: dict[str, T]) -> dict[str, T]:
    """The entries, if one of them serves whatever has none of its own."""
    if DEFAULT not in entries:
        raise ValueError(f"needs an entry `{DEFAULT}`, which serves whatever has none of its own")
    return entries


def twice(keys: Iterable[object], *around: str, below: str | None = None) -> Iterator[Misfit]:
    """Whatever of a list, found at ``around``, has a key that stood there before."""
    seen: dict[object, int] = {}
    for at, key in enumerate(keys):
        if key in seen:
            yield (*around, at, *([below] if below else [])), f"stands twice, in entry {seen[key]} already"
        else:
            seen[key] = at
