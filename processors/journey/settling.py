"""What the policies that take a journey step by step have in common: each step is decided once, and remembered.

A step is wanted again and again while its cause lasts. Held, it is decided anew when the hold ends; refused, whenever
something changes; sent, or past its use, never again. A hold whose cause is gone ends on record.
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
"""After its deadline a task stays worth doing for so long."""

_FINAL = frozenset({SENT, NO_LONGER_USEFUL, "holdout", "already_sent"})


class Deadline(NamedTuple):
    """Of a task: by when it is to be done, and until when it is worth doing."""

    due: datetime
    useful_until: datetime


def deadline(begins: datetime, within: timedelta, opened: datetime) -> Deadline:
    """``within`` that of what the task is about; of ``opened``, where that is later: nobody is late before they know.

    A task that would have been worth doing only before it was opened keeps its deadline, and the guard refuses it.
    """
    due = begins + within
    if due <= opened < due + TASK_LIVES:
        due = opened + within
    return Deadline(due, due + TASK_LIVES)


DueTime = tuple[str, datetime]
"""A journey, and when time alone would change what is wanted for it."""


class JourneyStep(NamedTuple):
    """A step that a journey calls for; it is only made where it was not settled before."""

    journey_id: str
    occasion: str
    make: Callable[[], Want | Suppress]


class Settling(ABC):
    """A policy whose steps are remembered in the state. Made for most customers to cost next to nothing: it is asked
    with every event, and seldom has anything to say."""

    name: str
    why: Mapping[str, str]
    answers: tuple[type[Any], ...] = ()
    final: frozenset[str] = frozenset()
    """Reasons of the policy's own that nothing will change."""

    @abstractmethod
    def watched(self, state: JourneyState) -> Sequence[Any]:
        """The part of the state that its journeys are made of; without any there is nothing to do."""

    @abstractmethod
    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[JourneyStep | Recall | Expose]:
        """Everything that should be sent or taken back as things stand, whether it was decided already or not."""

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[DueTime]:
        """When time alone would change the steps; those that are past are ignored. Never, as a rule: most is decided
        when it is heard of, and what is held has the end of its hold."""
        return ()

    def too_late(self, state: JourneyState, event: Any, now: datetime, playbook: Playbook) -> Want | None:
        """What is no longer of use is refused by the guard, as a rule."""
        return None

    def concerns(self, state: JourneyState) -> bool:
        """Whether there is a journey of its kind, or a hold that has to end although its journey is forgotten."""
        if self.watched(state):
            return True
        return any(one.held_until is not None and one.policy == self.name for one in state.settled)

    def wants(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Wanted]:
        """The steps that are not settled, and the end of those that were held and are wanted no longer."""
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
        """The step's letter once more, where it did not arrive at the addresses of then and there is another now."""
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
        """Remember what was decided of the step."""
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
                # what was sent stays sent; what was held may be wanted anew
                reason = known.reason if known.reason in _FINAL else action.reason
        if known is not None and (known.reason, known.held_until) == (reason, until):
            return state
        note = Settled(
            policy=self.name, journey_id=step[0], occasion=step[1], reason=reason, as_of=now, held_until=until
        )
        return replace(state, settled=put(state.settled, note, lambda one: (one.policy, *_step(one))))

    def is_news(self, state: JourneyState, action: Action) -> bool:
        """A refusal is news unless the last one was the same; "not now" and "not at all" are not the same. That what
        was refused is of no use any more is none, and that a journey comes too late is said once."""
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
        """The end of each hold, and the next moment of each journey."""
        next_: dict[str, datetime] = {}
        for one in state.settled:
            if one.policy == self.name and one.held_until is not None:
                _sooner(next_, one.journey_id, one.held_until, now)
        for journey, moment in self.moments(state, now, playbook):
            _sooner(next_, journey, moment, now)
        for journey, due in next_.items():
            yield Timer(timer_id=f"{self.name}/{journey}", due_at=due, policy=self.name, journey_id=journey)

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Nothing ends by time alone."""
        return state

    def is_settled(self, state: JourneyState, journey: str, occasion: str, reason: str = SENT) -> bool:
        """Whether the step came to that."""
        return any(
            (one.policy, one.journey_id, one.occasion, one.reason) == (self.name, journey, occasion, reason)
            for one in state.settled
        )

    def sent_at(self, state: JourneyState, journey: str, occasion: str) -> datetime | None:
        """When the step was sent, None if it was not."""
        for one in state.settled:
            if (one.policy, one.journey_id, one.occasion, one.reason) == (self.name, journey, occasion, SENT):
                return one.as_of
        return None

    def due_of(self, state: JourneyState, journey: str, occasion: str, due: datetime) -> datetime:
        """By when the step's task is to be done: as was asked of the team, or ``due`` where nobody was asked yet."""
        for note in state.outreach:
            if (note.policy, note.journey_id, note.occasion) == (self.name, journey, occasion):
                return note.due_at or due
        return due

    def called_off(
        self, state: JourneyState, journey: str, now: datetime, *, reason: str, explanation: str
    ) -> Iterator[Recall]:
        """The journey's tasks that are still to be done: nobody needs to any more."""
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
