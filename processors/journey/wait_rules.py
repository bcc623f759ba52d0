"""The rules for each kind of wait, used by the policy that writes about waits and by those that detect silent ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from processors.journey.playbook import GestureOffer, Playbook, Rules

WAITS = "delay_care"
"""The playbook section with these rules, by kind of subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """From this length of wait on, this gesture is offered."""

    wait: timedelta
    gesture: GestureOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRules:
    """The rules for waits of one kind of subject."""

    threshold: timedelta
    revise_after: timedelta
    stages: tuple[Stage, ...]
    cancelled: GestureOffer | None = None
    cancelled_useful: timedelta = timedelta(hours=24)
    open_ended_useful: timedelta = timedelta(hours=1)
    lapse: timedelta = timedelta(hours=48)
    update_every: timedelta | None = None
    """The interval of updates during a wait of unknown length; None if the customer only hears what is new."""
    ended_useful: timedelta | None = None
    """How long after its end a letter that the wait is over is useful; None if none is sent."""
    together: timedelta | None = None
    """How long a letter waits for others to be combined with; None if it does not wait."""
    unannounced_after: timedelta | None = None
    """How long after a promise silence counts as a delay; None if a promise is no deadline."""

    @property
    def grace(self) -> timedelta:
        """How long after an announced time has passed in silence another letter is due."""
        return self.unannounced_after or self.update_every or self.threshold

    def stage(self, wait: timedelta) -> int:
        """Return the index of the highest stage reached by a wait of that length; -1 for none."""
        return sum(1 for stage in self.stages if stage.wait <= wait) - 1

    def stage_of(self, code: str) -> int:
        """Return the index of the stage that gives this gesture; -1 for none."""
        return next((at for at, stage in enumerate(self.stages) if stage.gesture.code == code), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRules(Rules):
    """The rules of every kind of subject."""

    kinds: Mapping[str, DelayRules]
    """By kind of subject; ``default`` applies to all others."""

    def of(self, subject_kind: str) -> DelayRules:
        """Return the rules of this kind of subject, or those of ``default``."""
        return self.kinds.get(subject_kind) or self.kinds["default"]

    def offers(self) -> Iterator[GestureOffer]:
        """Yield the gestures of every kind."""
        for rules in self.kinds.values():
            yield from (stage.gesture for stage in rules.stages)
            if rules.cancelled is not None:
                yield rules.cancelled


class FoundOut(Rules):
    """The rules of a policy that follows up promises which passed in silence, and waits whose end nobody reported; a
    letter may say that somebody is checking."""

    __slots__ = ()


def wait_rules(playbook: Playbook, subject_kind: str) -> DelayRules:
    """Return the rules of this kind of subject. Raises LookupError if the playbook has none for waits."""
    rules = playbook.rules_of(WaitRules)
    if rules is None:
        raise LookupError("the playbook has no rules for waits")
    return rules.of(subject_kind)
