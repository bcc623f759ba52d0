"""How each kind of wait is treated: by whoever writes about it, and by whoever finds out what nobody tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import GestureOffer, Playbook, Rules

WAITS = "delay_care"
"""The section of a playbook that has them, by kind of subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """From this length of wait on, this gesture."""

    wait: timedelta
    gesture: GestureOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRules:
    """How delay care treats one kind of subject."""

    threshold: timedelta
    revise_after: timedelta
    stages: tuple[Stage, ...]
    cancelled: GestureOffer | None = None
    cancelled_useful: timedelta = timedelta(hours=24)
    open_ended_useful: timedelta = timedelta(hours=1)
    lapse: timedelta = timedelta(hours=48)
    update_every: timedelta | None = None
    """While a wait of unknown length lasts; None where the customer only hears what is new."""
    ended_useful: timedelta | None = None
    """How long after its end the word that a wait is over is of use; None where none is written."""
    together: timedelta | None = None
    """So long a letter waits for others that go with it as one; None where none can wait."""
    unannounced_after: timedelta | None = None
    """From a promise on, until silence counts as a delay; None where a promise is no deadline."""

    @property
    def grace(self) -> timedelta:
        """From a time that we gave, until its passing in silence is worth a word."""
        return self.unannounced_after or self.update_every or self.threshold

    def stage(self, wait: timedelta) -> int:
        """Index of the highest stage reached by a wait of that length; -1 for none."""
        return sum(1 for stage in self.stages if stage.wait <= wait) - 1

    def stage_of(self, code: str) -> int:
        """Index of the stage that gives this gesture; -1 where none does."""
        return next((at for at, stage in enumerate(self.stages) if stage.gesture.code == code), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRules(Rules):
    """The rules of each kind of subject."""

    kinds: Mapping[str, DelayRules]
    """By kind of subject; ``default`` serves the others."""

    def of(self, subject_kind: str) -> DelayRules:
        """The rules of this kind of subject, or those of ``default``."""
        return self.kinds.get(subject_kind) or self.kinds["default"]

    def offers(self) -> Iterator[GestureOffer]:
        """The gestures of every kind."""
        for rules in self.kinds.values():
            yield from (stage.gesture for stage in rules.stages)
            if rules.cancelled is not None:
                yield rules.cancelled


class FoundOut(Rules):
    """Rules by which somebody finds out what came of a promise of which nobody says a word, and settles what nobody
    knows the end of: a letter may say so."""

    __slots__ = ()


def wait_rules(playbook: Playbook, subject_kind: str) -> DelayRules:
    """The rules of this kind of subject. Raises LookupError where the playbook has none for waits."""
    rules = playbook.rules_of(WaitRules)
    if rules is None:
        raise LookupError("the playbook has no rules for waits")
    return rules.of(subject_kind)
