"""The base class of policies that decide a journey step by step: each step is decided once and remembered.

A step is wanted for as long as its reason holds. If held, it is decided again when the hold ends; if refused, whenever
something changes; if sent, or no longer useful, never again. A hold whose reason is gone is released on record.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as replaced
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from processors.journey.actions import Action, Expose, Hold, Reach, Recall, Release, Suppress, Want
from processors.journey.arrival import may_be_told_again
from processors.journey.naming import again, is_of
from processors.journey.playbook import Playbook
from processors.journey.policy import Wanted, same_no
from processors.journey.state import put
from streams.events import JourneyState, OutreachChannel, Settled, Timer, replace

SENT, NO_LONGER_USEFUL = "sent", "no_longer_useful"
TASK_LIVES = timedelta(days=7)
"""How long a task stays worth doing after its deadline."""

_FINAL = frozenset({SENT, NO_LONGER_USEFUL, "holdout", "already_sent"})


class Deadline(NamedTuple):
    """A task's deadline, and until when the task is worth doing."""

    due: datetime
    useful_until: datetime


def deadline(begins: datetime, within: timedelta, opened: datetime) -> Deadline:
    """Return the deadline of a task: ``within`` after ``begins``, or after ``opened`` if it would already have passed
    by then.

    A task that would have expired before it was opened keeps its deadline, so that the guard refuses it.
    """
    due = begins + within
    if due <= opened < due + TASK_LIVES:
        due = opened + within
    return Deadline(due, due + TASK_LIVES)


DueTime = tuple[str, datetime]
"""A journey id, and when time alone would change what is wanted for it."""


class JourneyStep(NamedTuple):
    """A step that a journey calls for; ``make`` is only called if the step is not settled."""

    journey_id: str
    occasion: str
    make: Callable[[], Want | Suppress]


class Settling(ABC):
    """A policy whose steps are remembered in the state. It is cheap for most customers, since it is asked with every
    event and seldom has anything to want."""

    name: str
    why: Mapping[str, str]
    answers: tuple[type[Any], ...] = ()
    final: frozenset[str] = frozenset()
    """The policy's own reasons that are final."""

    @abstractmethod
    def watched(self, state: JourneyState) -> Sequence[Any]:
        """Return the part of the state that holds its journeys; if it is empty there is nothing to do."""

    @abstractmethod
    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[JourneyStep | Recall | Expose]:
        """Return everything that should be sent or retracted as things stand, whether it was decided already or not."""

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[DueTime]:
        """Return when time alone would change the steps; moments in the past are ignored. By default none: most steps
        are decided when their fact arrives, and a held step has the end of its hold."""
        return ()

    def too_late(self, state: JourneyState, event: Any, now: datetime, playbook: Playbook) -> Want | None:
        """Return None by default: the guard refuses what is no longer useful."""
        return None

    def concerns(self, state: JourneyState) -> bool:
        """Return whether there is a journey of its kind, or a hold that has to end although its journey was pruned."""
        if self.watched(state):
            return True
        return any(one.held_until is not None and one.policy == self.name for one in state.settled)

    def wants(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Wanted]:
        """Return the steps that are not settled, and a Release for each held step that is no longer wanted."""
        steps = tuple(self.steps(state, now, playbook))
        said = {_step(one): one for one in state.settled if one.policy == self.name} if state.settled else {}
        if not steps and not said:
            return ()
        return self._open(state, steps, said, playbook)

    def _open(
        self,
        state: JourneyState,
        steps: Iterable[JourneyStep | Recall | Expose],
        said: Mapping[tuple[str, str], Settled],
        playbook: Playbook,
    ) -> Iterator[Wanted]:
        held = {step for step, one in said.items() if one.held_until is not None}
        for wanted in steps:
            if not isinstance(wanted, JourneyStep):
                yield wanted
                continue
            held.discard(wanted[:2])
            known = said.get(wanted[:2])
            if known is None or not (known.reason in _FINAL or known.reason in self.final):
                yield wanted.make()
            elif known.reason == SENT and (again := self._again(state, wanted, said, held, playbook)) is not None:
                yield again
        for journey, occasion in sorted(held):
            yield Release(
                policy=self.name,
                journey_id=journey,
                occasion=occasion,
                reason="no_longer_needed",
                explanation="its reason no longer holds",
            )

    def _again(
        self,
        state: JourneyState,
        step: JourneyStep,
        said: Mapping[tuple[str, str], Settled],
        held: set[tuple[str, str]],
        playbook: Playbook,
    ) -> Want | None:
        """Return a resend of the step's letter, if it did not arrive at the earlier addresses and there is another one
        now."""
        own = tuple(
            note
            for note in state.outreach
            if note.policy == self.name and note.journey_id == step.journey_id and is_of(note.occasion, step.occasion)
        )
        occasion = again(step.occasion, len(own))
        held.discard((step.journey_id, occasion))
        known = said.get((step.journey_id, occasion))
        if not own or not may_be_told_again(own[-1], own, state, playbook) or (known and known.reason in _FINAL):
            return None
        want = step.make()
        return replaced(want, occasion=occasion) if isinstance(want, Want) else None

    def after(self, state: JourneyState, action: Action, now: datetime, playbook: Playbook) -> JourneyState:
        """Remember what was decided about the step."""
        step = _about(action)
        known = next((one for one in state.settled if one.policy == self.name and _step(one) == step), None)
        until: datetime | None = None
        match action:
            case Reach():
                reason = SENT
            case Hold():
                reason, until = _kept(known, action.reason), action.until
            case Suppress():
                reason = _kept(known, action.reason)
            case Recall() | Release():
                if known is None:
                    return state
                # a sent step stays sent; a released one may be wanted again
                reason = known.reason if known.reason in _FINAL else action.reason
        if known is not None and (known.reason, known.held_until) == (reason, until):
            return state
        note = Settled(
            policy=self.name, journey_id=step[0], occasion=step[1], reason=reason, as_of=now, held_until=until
        )
        return replace(state, settled=put(state.settled, note, lambda one: (one.policy, *_step(one))))

    def is_news(self, state: JourneyState, action: Action) -> bool:
        """Return whether to record the decision: a refusal unless the last one was the same, where a hold and a
        suppression differ. An expired refusal is not recorded again, and that a journey came too late is recorded
        once."""
        if isinstance(action, Reach | Recall | Release):
            return True
        step, held = _about(action), isinstance(action, Hold)
        over = action.reason == NO_LONGER_USEFUL
        if over and any(
            (one.policy, one.journey_id, one.reason) == (self.name, step[0], NO_LONGER_USEFUL) for one in state.settled
        ):
            return False
        return all(
            (one.policy, *_step(one)) != (self.name, *step)
            or not ((over or same_no(one.reason, action.reason)) and (one.held_until is not None) == held)
            for one in state.settled
        )

    def timers(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Timer]:
        """Yield the end of each hold, and the next moment of each journey."""
        next_: dict[str, datetime] = {}
        for one in state.settled:
            if one.policy == self.name and one.held_until is not None:
                _sooner(next_, one.journey_id, one.held_until, now)
        for journey, moment in self.moments(state, now, playbook):
            _sooner(next_, journey, moment, now)
        for journey, due in next_.items():
            yield Timer(timer_id=f"{self.name}/{journey}", due_at=due, policy=self.name, journey_id=journey)

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Return the state unchanged by default: no journey times out."""
        return state

    def is_settled(self, state: JourneyState, journey: str, occasion: str, reason: str = SENT) -> bool:
        """Return whether the step was settled with that reason."""
        return any(
            (one.policy, one.journey_id, one.occasion, one.reason) == (self.name, journey, occasion, reason)
            for one in state.settled
        )

    def sent_at(self, state: JourneyState, journey: str, occasion: str) -> datetime | None:
        """Return when the step was sent, None if it was not."""
        for one in state.settled:
            if (one.policy, one.journey_id, one.occasion, one.reason) == (self.name, journey, occasion, SENT):
                return one.as_of
        return None

    def due_of(self, state: JourneyState, journey: str, occasion: str, due: datetime) -> datetime:
        """Return the deadline of the step's task: the one that the team was given, or ``due`` if no task was opened
        yet."""
        for note in state.outreach:
            if (note.policy, note.journey_id, note.occasion) == (self.name, journey, occasion):
                return note.due_at or due
        return due

    def called_off(
        self, state: JourneyState, journey: str, now: datetime, *, reason: str, explanation: str
    ) -> Iterator[Recall]:
        """Yield a recall of each of the journey's tasks that is still open."""
        for note in state.outreach:
            if (
                note.policy == self.name
                and note.journey_id == journey
                and note.channel is OutreachChannel.AGENT_TASK
                and note.retracted_at is None
                and note.done_at is None
                and note.useful_until > now
            ):
                yield Recall.of(note, reason=reason, explanation=explanation)


def _kept(known: Settled | None, reason: str) -> str:
    return known.reason if known is not None and same_no(known.reason, reason) else reason


def _step(one: Settled) -> tuple[str, str]:
    return (one.journey_id, one.occasion)


def _about(action: Action) -> tuple[str, str]:
    if isinstance(action, Recall | Release):
        return (action.journey_id, action.occasion)
    return (action.want.journey_id, action.want.occasion)


def _sooner(next_: dict[str, datetime], journey: str, moment: datetime, now: datetime) -> None:
    if moment > now and (journey not in next_ or moment < next_[journey]):
        next_[journey] = moment
