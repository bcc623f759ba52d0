"""Validates the playbook section on delay care, which has an entry for each kind of subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, Self

from pydantic import AfterValidator, model_validator

from processors.journey.wait_rules import DelayRules, Stage, WaitRules
from processors.playbook.faults import Misfit, refuse
from processors.playbook.sections import GestureSection, Section, twice, with_default
from processors.playbook.values import Duration, Some, Text


class StageSection(GestureSection):
    """A gesture for waits of at least this length."""

    wait: Duration


_HAS_A_DEFAULT = (
    "cancelled_useful",
    "open_ended_useful",
    "lapse",
    "update_every",
    "ended_useful",
    "together",
    "unannounced_after",
)
"""Durations for which the rules have a default."""


class DelaySection(Section):
    """Delay care for one kind of subject."""

    threshold: Duration
    revise_after: Duration
    gestures: list[StageSection]
    cancelled: GestureSection | None = None
    cancelled_useful: Some | None = None
    open_ended_useful: Some | None = None
    lapse: Some | None = None
    update_every: Some | None = None
    ended_useful: Some | None = None
    together: Some | None = None
    unannounced_after: Some | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[Misfit]:
        for at, (before, stage) in enumerate(zip(self.gestures, self.gestures[1:], strict=False), start=1):
            if stage.wait <= before.wait:
                yield ("gestures", at, "wait"), "has to be longer than the one before"
        yield from twice((stage.code for stage in self.gestures), "gestures", below="code")
        rules = self.rules("USD")
        if rules.together is not None and rules.together >= rules.open_ended_useful:
            yield ("together",), "has to be shorter than open_ended_useful, or letters would go after they are of use"
        if rules.update_every is not None and rules.update_every >= rules.lapse:
            yield ("update_every",), "has to be shorter than lapse, when nobody waits any more"
        if rules.unannounced_after is not None and rules.unannounced_after >= rules.lapse:
            yield ("unannounced_after",), "has to be shorter than lapse, when nobody waits any more"

    def rules(self, currency: str) -> DelayRules:
        """Return the rules for this kind of subject."""
        return DelayRules(
            threshold=self.threshold,
            revise_after=self.revise_after,
            stages=tuple(Stage(wait=stage.wait, gesture=stage.offer(currency)) for stage in self.gestures),
            cancelled=self.cancelled.offer(currency) if self.cancelled else None,
            **{name: given for name in _HAS_A_DEFAULT if (given := getattr(self, name)) is not None},
        )


Kinds = Annotated[dict[Text, DelaySection], AfterValidator(with_default)]
"""The whole section."""


def rules_of(kinds: dict[str, DelaySection], currency: str) -> WaitRules:
    """Return the policy's rules."""
    return WaitRules(kinds={kind: section.rules(currency) for kind, section in kinds.items()})


def section_of(rules: WaitRules) -> dict[str, dict[str, Any]]:
    """Return the section for these rules; their stages are its gestures."""
    return {kind: dict(_entries(one)) for kind, one in rules.kinds.items()}


def _entries(rules: DelayRules) -> Iterator[tuple[str, Any]]:
    for part in fields(rules):
        value = getattr(rules, part.name)
        if part.name == "stages":
            yield "gestures", tuple(map(_stage, rules.stages))
        elif value is not None:
            yield part.name, value


def _stage(stage: Stage) -> dict[str, Any]:
    offer = stage.gesture
    said = {"wait": stage.wait, "code": offer.code, "title": offer.title, "cost": offer.cost}
    return said if offer.link is None else {**said, "link": offer.link}
