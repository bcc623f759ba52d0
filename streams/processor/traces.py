"""The spans of a partition's transactions. One of a step counts once the step is committed, and never otherwise.

A step is traced where what it goes back to is: a record by its header ``traceparent``, a result by the effect that it
is of, a deadline by the step that its key's state goes back to. That one is kept in memory, and over a crash in a
header of the state's record. So no span stays open while something waits: what comes after the wait is a span of its
own in the same trace, with a link to the step that began the wait.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from opentelemetry.trace import SpanKind

from streams.avro.records import NAMES
from streams.broker.contract import ConsumerRecord
from streams.events import Decision
from streams.processor.logic import Completion, Effect, Step
from streams.publishing.cloudevents import TRACEPARENT, Headers
from streams.tracing import Attributes, Traced, Tracing, is_sampled

HEADER = "careline_trace"
"""Of a state's record: the traceparent of the latest traced step, and since when its trace waits (ms)."""

_KEPT_FOR = int(timedelta(days=7).total_seconds() * 1000)  # what waits longer begins no span any more
_LINKS = 100  # of a commit: to as many steps, at most


class Kept(NamedTuple):
    """The latest traced step of a key that has a deadline; ``since``: when its trace came in, in ms."""

    traceparent: str
    since: int


class Traces:
    """Of one partition, for as long as it is held."""

    def __init__(self, tracing: Tracing, *, role: str, group: str, topic: str, partition: int) -> None:
        """``topic``: the input's full name."""
        self._tracing = tracing
        self._role = role
        self._topic = topic
        self._common: Attributes = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.destination.partition.id": str(partition),
            "messaging.consumer.group.name": group,
            "careline.role": role,
        }
        self.kept: dict[str, Kept] = {}
        """By key; only of keys that have a deadline."""

    def restored(self, key: str, headers: Headers) -> None:
        """Take what a record of the key's state says; a later record replaces an earlier one."""
        self.kept.pop(key, None)
        for name, value in headers:
            traceparent, _, since = bytes(value or b"").partition(b";")
            if name == HEADER and is_sampled(traceparent) and since.isdigit() and len(since) < 16:
                self.kept[key] = Kept(traceparent.decode(), int(since))

    def received(self, record: ConsumerRecord) -> Traced | None:
        """The span of an input record; None where its trace is not recorded."""
        for name, value in reversed(record.headers):
            if name == TRACEPARENT:
                if not is_sampled(value):
                    return None
                described: Attributes = {
                    "messaging.operation.name": "process",
                    "messaging.operation.type": "process",
                    "messaging.kafka.offset": record.offset,
                }
                return self._begun(f"process {self._topic}", value.decode(), described, kind=SpanKind.CONSUMER)
        return None

    def waited(self, what: str, kept: Kept) -> Traced | None:
        """The span of a deadline, or of what is resumed: linked to the step since which its key has waited."""
        parent = kept.traceparent
        return self._begun(f"{what} {self._role}", parent, links=(parent,))

    def completed(self, traceparent: str) -> Traced | None:
        """The span of a result."""
        return self._begun(f"result {self._role}", traceparent)

    def commit(self, steps: Sequence[Traced], *, items: int, messages: int, began: int) -> Traced:
        """The span of a commit, in the trace of the first of these steps and linked to each (100 at most)."""
        described: Attributes = {
            **self._common,
            "messaging.operation.name": "commit",
            "messaging.operation.type": "settle",
            "messaging.batch.message_count": messages,
            "careline.items": items,
        }
        links = [step.link for step in steps[:_LINKS]]
        return self._tracing.begin(
            f"commit {self._topic}", described, parent=steps[0].traceparent, links=links, at=began
        )

    def _begun(
        self,
        name: str,
        parent: str,
        attributes: Attributes | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        links: Sequence[str] = (),
    ) -> Traced | None:
        described = {**self._common, **(attributes or {})}
        traced = self._tracing.begin(name, described, kind=kind, parent=parent, links=links)
        return traced if traced.recording else None


class Spans:
    """Those of one transaction in the making. What is not committed is dropped with it."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        self._step: Traced | None = None
        self._since = 0
        self._made: list[tuple[Traced, int]] = []
        self._kept: dict[str, Kept | None] = {}  # None: nothing any more

    @property
    def traceparent(self) -> str | None:
        """Of the step that is being made, for what it sends; None where it is not traced."""
        return None if self._step is None else self._step.traceparent

    def received(self, record: ConsumerRecord) -> None:
        """A step begins: an input record. The step before is over."""
        self.over()
        self._step = self._traces.received(record)
        if self._step is not None:
            self._since = _now()

    def waited(self, what: str, key: str) -> None:
        """A step begins: a deadline of the key, or going on after a crash, by the name of ``what``."""
        self.over()
        kept = self._kept.get(key) or self._traces.kept.get(key)
        if kept is not None and kept.since >= _now() - _KEPT_FOR:
            self._step, self._since = self._traces.waited(what, kept), kept.since

    def completed(self, completion: Completion) -> None:
        """A step begins: the result of an effect."""
        self.over()
        if completion.traceparent is not None:
            self._step, self._since = self._traces.completed(completion.traceparent), _now()

    def about(self, record: Any) -> None:
        """What the step's record is."""
        if self._step is not None:
            identity = getattr(record, "event_id", None) or getattr(record, "outreach_id", None)
            kind = NAMES.get(type(record))
            self._step.note(
                {"messaging.message.id": identity, "cloudevents.event_id": identity, "cloudevents.event_type": kind}
            )

    def stepped(self, key: str, step: Step[Any]) -> Sequence[Effect]:
        """Note what the step came to. Its effects, which go back to its span."""
        if self._step is None:
            return step.effects
        self._kept[key] = Kept(self._step.traceparent, self._since)
        records = [send.record for send in step.sends]
        decisions = [one for one in records if isinstance(one, Decision)]
        self._step.note(
            {
                "careline.handling": step.handling,
                "careline.policies": _distinct([one.policy for one in decisions]),
                "careline.reasons": _distinct([one.reason for one in decisions]),
                "careline.outreach.ids": _distinct([getattr(one, "outreach_id", None) for one in records]),
                "careline.effects": len(step.effects),
            }
        )
        return [replace(effect, traceparent=self._step.traceparent) for effect in step.effects]

    def dead_letter(self, reason: str) -> None:
        """The step's item, or a part of it, becomes a dead letter."""
        if self._step is not None:
            self._step.note({"careline.reason": reason})
            self._step.failed("Unreadable")

    def over(self) -> None:
        """The step that was being made is: its span waits for the commit."""
        if self._step is not None:
            self._made.append((self._step, time.time_ns()))
            self._step = None

    def headers_of(self, key: str, state: Any) -> list[tuple[str, bytes]]:
        """The headers of the record of the key's new state: what is kept until its deadline, if it has one."""
        kept = self._kept.get(key) or self._traces.kept.get(key)
        if kept is None:
            return []
        if state is None or state.wake_at is None or kept.since < _now() - _KEPT_FOR:
            self._kept[key] = None
            return []
        self._kept[key] = kept
        return [(HEADER, f"{kept.traceparent};{kept.since}".encode())]

    @property
    def keeps(self) -> bool:
        """Whether the record of a state may need a header at all."""
        return bool(self._kept or self._traces.kept)

    def committed(self, *, items: int, messages: int, began: int) -> None:
        """The transaction is committed: what its steps were is true. ``began``: when the commit did, in ns."""
        for key, kept in self._kept.items():
            if kept is None:
                self._traces.kept.pop(key, None)
            else:
                self._traces.kept[key] = kept
        if self._made:
            steps = [step for step, _ in self._made]
            commit = self._traces.commit(steps, items=items, messages=messages, began=began)
            for step, ended in self._made:
                step.end(ended)
            commit.end()

    def mark(self) -> tuple[int, dict[str, Kept | None]]:
        """What :meth:`undo` goes back to. The step that is being made is over."""
        self.over()
        return len(self._made), dict(self._kept)

    def undo(self, mark: tuple[int, dict[str, Kept | None]]) -> None:
        """As if nothing had been made since then; the step that failed goes on, as that of a dead letter."""
        made, self._kept = mark
        del self._made[made:]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _distinct(found: Sequence[str | None]) -> list[str]:
    return list(dict.fromkeys(one for one in found if one))
