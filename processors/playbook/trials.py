"""Models of experiments and holdouts in a playbook file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from processors.journey.playbook import Arm, Experiment, Holdout
from processors.playbook.faults import Misfit, refuse
from processors.playbook.sections import GestureSection, Section, twice
from processors.playbook.values import Letter, Policy, Seed, Share, Slug

_EXACTLY = 1e-9


class HoldoutSection(Section):
    """A holdout: the share of customers who are sent nothing, to measure the effect."""

    share: Share
    seed: Seed

    def rules(self) -> Holdout:
        """Return the holdout."""
        return Holdout(share=self.share, seed=self.seed)


class ArmSection(Section):
    """One variant of an experiment."""

    name: Slug
    share: Share
    gestures: dict[Slug, GestureSection] = Field(default={})
    templates: dict[Letter, Letter] = Field(default={})

    def rules(self, currency: str) -> Arm:
        """Return the arm, with its gestures' costs in that currency."""
        return Arm(
            name=self.name,
            share=self.share,
            gestures={code: gesture.offer(currency) for code, gesture in self.gestures.items()},
            templates=self.templates,
        )


class ExperimentSection(Section):
    """Several variants of one policy side by side."""

    key: Slug
    policy: Policy
    seed: Seed
    arms: list[ArmSection] = Field(min_length=2)
    coverage: Share = 1.0
    hash_version: Literal[1, 2] = 2

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[Misfit]:
        total = math.fsum(arm.share for arm in self.arms)
        if abs(total - 1) > _EXACTLY:
            yield ("arms",), f"their shares add up to {total:g}; they have to make 1"
        yield from twice((arm.name for arm in self.arms), "arms", below="name")
        for at, arm in enumerate(self.arms):
            for usual, instead in arm.templates.items():
                if not (usual.startswith(f"{self.policy}/") and instead.startswith(f"{self.policy}/")):
                    yield ("arms", at, "templates", usual), f"both letters have to be of {self.policy}"

    def rules(self, currency: str) -> Experiment:
        """Return the experiment."""
        return Experiment(
            key=self.key,
            policy=self.policy,
            seed=self.seed,
            arms=tuple(arm.rules(currency) for arm in self.arms),
            coverage=self.coverage,
            hash_version=self.hash_version,
        )


def _keys(experiments: list[ExperimentSection]) -> list[ExperimentSection]:
    refuse(twice((one.key for one in experiments), below="key"))
    return experiments


Experiments = Annotated[list[ExperimentSection], AfterValidator(_keys)]
"""Experiments with different keys."""
