"""What a role gives the processor: a pure logic, and for what happens outside, a performer."""

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
    """An input record, decoded. ``value`` is what it was decoded from."""

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
    """Something to do outside once the transaction is committed. Effects of one ``lane`` are done in order."""

    key: str
    lane: str
    task: Any
    traceparent: str | None = None
    """Of the step that asked for it, where that is traced."""


class Step(Value, Generic[S], frozen=True, kw_only=True, gc=False):
    """What a record, a deadline or a result leads to. ``state`` None deletes the key's state."""

    state: S | None
    sends: tuple[Send, ...] = ()
    effects: tuple[Effect, ...] = ()
    withdraw_effects: bool = False
    """Drop the key's effects that this transaction asked for earlier; of one that was asked for before, tell the
    performer (:meth:`Performer.withdraw`)."""
    at: datetime | None = None
    """When what it sends became true, where that is not the moment it is recorded."""
    unchanged: bool = False
    """The state stays as it is; nothing of it is written."""
    refused: Unreadable | None = None
    """Part of the record was left out for this reason: it goes to the dead letters, too."""
    handling: str = "folded"
    """For the metrics: folded, duplicate, passed_over, too_late."""


class Stage(StrEnum):
    """How far an item of a transaction came: a dead letter says at which stage it failed."""

    DECODE = "decode"
    ADMIT = "admit"
    STEP = "step"
    """Folding the event, or what was decided on it."""
    ENCODE = "encode"
    """An output or the new state does not fit its schema."""
    SIZE = "size"
    """An output or the new state is larger than its topic takes."""
    BROKER = "broker"
    """The broker refused what it led to."""
    DEADLINE = "deadline"
    RESULT = "result"
    """Recording what came of an effect."""
    RESUME = "resume"
    """Going on with an effect that a crash cut off."""


class Entrance(Protocol):
    """What may come in, and whose it is."""

    @property
    def input(self) -> Topic: ...

    @property
    def forwards_misplaced(self) -> bool:
        """Whether a record on another partition than its key's goes there; else it is taken where it is."""
        ...

    def key(self, record: Any) -> str:
        """The key of the state that the input record is about."""
        ...

    def admit(self, record: Any, now: datetime) -> None:
        """Raises Unreadable for an input record that decodes but can't be true."""
        ...


class Logic(Entrance, Protocol[S]):
    """Pure: no I/O, no clock. A state has ``wake_at``, aware UTC or None: when :meth:`wake` is due.

    ``now`` is the partition's clock. Where there are effects and the time source is the wall, it is real time: what is
    done outside is done now, however old the record is that asked for it.
    """

    @property
    def state_topic(self) -> Topic: ...

    @property
    def state_type(self) -> type[Any]: ...

    @property
    def outputs(self) -> tuple[Topic, ...]:
        """Every topic that a step may send to."""
        ...

    def receive(self, incoming: Incoming, state: S | None, now: datetime, *, busy: bool) -> Step[S]:
        """The step an input record leads to. ``busy``: an effect of this key is under way."""
        ...

    def wake(self, key: str, state: S, now: datetime, *, busy: bool) -> Step[S]:
        """The step that the state's deadline leads to; the new state's ``wake_at`` is later than ``now``.

        Live and where there are effects, only once everything is handled that was on the topic up to the deadline.
        """
        ...

    def resume(self, key: str, state: S, now: datetime) -> Step[S] | None:
        """After a recovery, for every state with a deadline: what to do if its effect was cut off; None for nothing."""
        ...

    def completed(self, key: str, state: S | None, result: Any, now: datetime) -> Step[S]:
        """The step that an effect's result leads to."""
        ...

    def committed(self, taken: Sequence[Record], sent: Sequence[Send]) -> None:
        """Called once for each transaction, when it is committed: the input records that changed a state, and all that
        was sent. For metrics and nothing else."""
        ...


class Performer(Protocol):
    """Does what effects ask for. Never raises: what goes wrong is a result."""

    async def perform(self, effect: Effect) -> Any:
        """The result, handed to :meth:`Logic.completed`."""
        ...

    def withdraw(self, key: str) -> None:
        """What is asked for under the key is not wanted any more: as far as it has not left yet, it does not."""
        ...


@dataclass(slots=True)
class Completion:
    """A result on its way back into a transaction."""

    effect: Effect
    result: Any = field(default=None)
    traceparent: str | None = None
    """Of the span in which it was done, where that is traced."""
