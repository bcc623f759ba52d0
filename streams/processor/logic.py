"""The interfaces between a role and the processor: a pure logic, and a performer for its effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from streams.errors import Unreadable
from streams.events import Record, Value
from streams.publishing.cloudevents import Headers
from streams.topics import Topic

S = TypeVar("S")


class Incoming(Value, frozen=True, kw_only=True, gc=False):
    """A decoded input record. ``value`` is its encoded form."""

    record: Record
    value: bytes
    headers: Headers


class Send(Value, frozen=True, kw_only=True, gc=False):
    """A record for an output topic. ``elsewhere``: to the partition of its key, else to the same one as the input."""

    topic: Topic
    key: str
    record: Record
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """An action outside of Kafka that runs once the transaction is committed. Effects of one ``lane`` run in order."""

    key: str
    lane: str
    task: Any
    traceparent: str | None = None
    """Of the step that asked for it, where that is traced."""


class Step(Value, Generic[S], frozen=True, kw_only=True, gc=False):
    """The result of a record, a deadline or an effect's result. ``state`` None deletes the key's state."""

    state: S | None
    sends: tuple[Send, ...] = ()
    effects: tuple[Effect, ...] = ()
    withdraw_effects: bool = False
    """Drop the key's effects that this transaction requested; for those of earlier transactions, call
    :meth:`Performer.withdraw`."""
    at: datetime | None = None
    """The time of what it sends, if that differs from the time of recording."""
    unchanged: bool = False
    """The state stays as it is and is not written."""
    refused: Unreadable | None = None
    """Why part of the record was left out; the record also goes to the dead-letter topic."""
    handling: str = "folded"
    """For the metrics: folded, duplicate, passed_over, too_late."""


class Stage(StrEnum):
    """The stage that an item of a transaction has reached; a dead letter names the one that failed."""

    DECODE = "decode"
    ADMIT = "admit"
    STEP = "step"
    """Folding the event, or deciding on it."""
    ENCODE = "encode"
    """An output or the new state does not fit its schema."""
    SIZE = "size"
    """An output or the new state is larger than its topic accepts."""
    BROKER = "broker"
    """The broker rejected its outputs."""
    DEADLINE = "deadline"
    RESULT = "result"
    """Recording the result of an effect."""
    RESUME = "resume"
    """Resuming an effect that a crash interrupted."""


class Entrance(Protocol):
    """Validates input records and assigns them to keys."""

    @property
    def input(self) -> Topic: ...

    @property
    def forwards_misplaced(self) -> bool:
        """Whether a record on another partition than its key's is forwarded there; else it is handled where it is."""
        ...

    def key(self, record: Any) -> str:
        """Return the key of the state that the input record is about."""
        ...

    def admit(self, record: Any, now: datetime) -> None:
        """Raise Unreadable for an input record that decodes but is invalid."""
        ...


class Logic(Entrance, Protocol[S]):
    """The pure logic of a role: no I/O, no clock. A state has ``wake_at``, aware UTC or None: when :meth:`wake` is due.

    ``now`` is the partition clock. If there are effects and the time source is the wall clock, it is real time: effects
    are performed now, however old the record is that requested them.
    """

    @property
    def state_topic(self) -> Topic: ...

    @property
    def state_type(self) -> type[Any]: ...

    @property
    def outputs(self) -> tuple[Topic, ...]:
        """All topics that a step may send to."""
        ...

    def receive(self, incoming: Incoming, state: S | None, now: datetime, *, busy: bool) -> Step[S]:
        """Return the step for an input record. ``busy``: an effect of this key is in progress."""
        ...

    def wake(self, key: str, state: S, now: datetime, *, busy: bool) -> Step[S]:
        """Return the step for the state's deadline; the new state's ``wake_at`` is later than ``now``.

        Live and with effects, it is called only once every record up to the deadline is handled.
        """
        ...

    def resume(self, key: str, state: S, now: datetime) -> Step[S] | None:
        """Return the step after a recovery, for a state with a deadline, if its effect was interrupted; None for
        nothing."""
        ...

    def completed(self, key: str, state: S | None, result: Any, now: datetime) -> Step[S]:
        """Return the step for an effect's result."""
        ...

    def committed(self, taken: Sequence[Record], sent: Sequence[Send]) -> None:
        """Called once for each committed transaction, with the input records that changed a state and all records sent.
        For metrics only."""
        ...


class Performer(Protocol):
    """Performs effects. Never raises: an error is a result."""

    async def perform(self, effect: Effect) -> Any:
        """Return the result, which is passed to :meth:`Logic.completed`."""
        ...

    def withdraw(self, key: str) -> None:
        """Withdraw the key's effects, unless they have been performed already."""
        ...


@dataclass(slots=True)
class Completion:
    """An effect's result, to be recorded by a transaction."""

    effect: Effect
    result: Any = field(default=None)
    traceparent: str | None = None
    """Of the span in which it was done, where that is traced."""
