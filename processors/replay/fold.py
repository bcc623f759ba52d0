"""One partition's touchpoints through the production core, at the times at which the journeys role handled them.

The order of things is that of :mod:`streams.processor.steps`, whose parts are used here: before a record is handled
every deadline up to its moment fires, the earliest first, by key where several are at once, each at its own time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from processors.journey.core import Advance, advance, wake
from processors.journey.playbook import Playbook
from processors.journey.recording import Output
from processors.replay.source import Extent
from streams.clock import PartitionClock, from_millis, to_millis
from streams.errors import Unreadable
from streams.events import Decision, JourneyState, Record, Touchpoint
from streams.http.destinations import Destinations, reachable
from streams.processor.intake import Intake, Misplaced
from streams.processor.isolation import blamed, is_infrastructure
from streams.processor.logic import Stage
from streams.processor.wakes import Wakes
from streams.publishing.writers import DEFAULT, Writers
from streams.subscribing.admission import Admission
from streams.topics import Topic, Topics

Fact = tuple[str, str]
"""A customer and an event id."""


class Touchpoints:
    """What comes in to the journeys role."""

    forwards_misplaced = True

    def __init__(self, topics: Topics, *, writers: Writers = DEFAULT) -> None:
        self.input: Topic = topics.touchpoints
        self._admission = Admission(topics, writers=writers)

    def key(self, record: Any) -> str:
        """The customer."""
        customer: str = record.customer_id
        return customer

    def admit(self, record: Any, now: datetime) -> None:
        """Raises Unreadable for a touchpoint that no reader takes."""
        self._admission.check(record, self.input, now=now)


@dataclass(slots=True)
class Tally:
    """What was met on the way, up to the end of the range."""

    records: int = 0
    folded: int = 0
    duplicates: int = 0
    passed_over: int = 0
    """Facts from before their customer's erasure, and outcomes of nobody's."""
    misplaced: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)
    timers: int = 0
    moved: int = 0
    """Records that were handled at another time than their own, as the recorded decisions tell."""

    def add(self, other: Tally) -> None:
        """Take in another partition's."""
        self.records += other.records
        self.folded += other.folded
        self.duplicates += other.duplicates
        self.passed_over += other.passed_over
        self.misplaced += other.misplaced
        self.dead_letters += other.dead_letters
        self.timers += other.timers
        self.moved += other.moved


class Fold:
    """Folds the records of one partition, one after the other, and hands on what comes of those the role handled.

    ``handled_at`` tells, in ms, when the role handled a fact, where its decisions say so. ``until`` (ms) ends the
    range: what comes later is folded, so that touchpoints are counted, but is not in the tally.
    """

    def __init__(
        self,
        extent: Extent,
        *,
        intake: Intake,
        playbook: Playbook,
        destinations: Destinations,
        handled_at: Mapping[Fact, int],
        until: int,
        take: Callable[[Output], None],
    ) -> None:
        self.tally = Tally()
        self.behind = False
        """Whether records were read that the role has yet to handle."""
        self._extent = extent
        self._intake = intake
        self._playbook = playbook
        self._destinations = destinations
        self._handled_at = dict(handled_at)
        self._until = until
        self._take = take
        self._states: dict[str, JourneyState] = {}
        self._wakes = Wakes()
        self._clock = PartitionClock()
        self._latest: set[Fact] = set()  # handled at the very millisecond that the clock shows
        self._reached: int | None = None
        self._counted: dict[str, int] = {}  # touchpoints at the position

    async def read(self, raw: ConsumerRecord) -> None:
        """The next record."""
        if self._reached is None and self._extent.position is not None and raw.offset >= self._extent.position:
            self.reach_position()
            self.behind = True
        event: Any = None
        unreadable: Unreadable | None = None
        try:
            event = await self._intake.decode(raw)
        except Unreadable as why:
            unreadable = why
        moment = self._moment(raw, event)
        self._fire(moment)
        self._move(moment)
        self._count("records")
        if unreadable is None:
            try:
                self._receive(event, raw)
            except Unreadable as why:
                unreadable = why
            except Exception as why:  # as the role does it: such an event is set aside, and changes nothing
                if is_infrastructure(why):
                    raise
                unreadable = blamed(Stage.STEP, why)
        if unreadable is not None and self._counts(self._clock.millis):
            self.tally.dead_letters[unreadable.reason] += 1

    def reach_position(self) -> None:
        """What the role handled ends here: deadlines up to its clock have fired, and what follows it has yet to do."""
        if self._reached is not None:
            return
        if self._extent.clock is not None:
            self._fire(self._extent.clock)
            self._move(self._extent.clock)
        self._reached = self._clock.millis
        self._counted = {customer: state.touchpoints for customer, state in self._states.items()}

    @property
    def reached(self) -> int:
        """The clock, in ms, where what the role handled ends."""
        return self._clock.millis if self._reached is None else self._reached

    def is_later(self, decision: Decision) -> bool:
        """Whether the role recorded it after the position it was asked for: it went on meanwhile."""
        decided = to_millis(decision.decided_at)
        if self._extent.position is None or decided < self.reached:
            return False
        if decided > self.reached:
            return True
        return (
            decision.trigger_event_id is not None
            and (decision.customer_id, decision.trigger_event_id) not in self._latest
        )

    def has_all_of(self, recorded: JourneyState) -> bool:
        """Whether as many touchpoints were folded as the role's state of the customer counts, to the same place."""
        customer = recorded.customer_id
        state = self._states.get(customer)
        folded = 0 if state is None else state.touchpoints
        if to_millis(recorded.updated_at) <= self.reached:
            # else the role went on meanwhile, and all that can be said is how many it may count at most
            folded = self._counted.get(customer, 0)
        return recorded.touchpoints <= folded

    def knows(self, customer_id: str) -> bool:
        """Whether there is anything of the customer at all."""
        state = self._states.get(customer_id)
        return state is not None and not state.is_erased

    def _moment(self, raw: ConsumerRecord, event: Any) -> int:
        """When the role handled the record: by its own time, unless what was decided on it says otherwise."""
        clock = self._clock.millis
        own: int = max(raw.timestamp, clock)
        fact = (getattr(event, "customer_id", ""), getattr(event, "event_id", ""))
        told = self._handled_at.get(fact)
        if told is None:
            return own
        moment = max(told, clock)
        if moment != own and not self._admits(event, raw, own):
            return own  # it was put aside; a copy of it came later, and was what was decided on
        del self._handled_at[fact]  # one that is told once more has a time of its own
        if moment != own and self._counts(moment):
            self.tally.moved += 1
        return moment

    def _admits(self, event: Record, raw: ConsumerRecord, moment: int) -> bool:
        try:
            self._intake.admitted(event, raw, from_millis(moment))
        except Unreadable:
            return False
        return True

    def _receive(self, event: Touchpoint, raw: ConsumerRecord) -> None:
        now = from_millis(self._clock.millis)
        if isinstance(self._intake.admitted(event, raw, now), Misplaced):
            self._count("misplaced")  # forwarded: the copy is on its own partition
            return
        customer = event.customer_id
        if self._reached is None:
            self._latest.add((customer, event.event_id))
        event, refused = reachable(event, self._destinations)
        step = advance(self._states.get(customer), event, now=now, playbook=self._playbook)
        if step.unchanged:
            self._count("duplicates" if step.duplicate else "passed_over")
            return
        if refused is not None and self._counts(self._clock.millis):
            self.tally.dead_letters[f"invalid_{refused.field}"] += 1
        self._count("folded")
        self._apply(customer, step)

    def _fire(self, until: int) -> None:
        while (due := self._wakes.pop_due(until)) is not None:
            millis, customer = due
            self._move(millis)
            state = self._states.get(customer)
            if state is None:
                continue
            if self._counts(millis):
                self.tally.timers += 1
            self._apply(customer, wake(state, now=from_millis(millis), playbook=self._playbook))
            again = self._wakes.due(customer)
            if again is not None and again <= millis:
                raise RuntimeError(f"a deadline of {customer} is not later than the one that fired")

    def _apply(self, customer: str, step: Advance) -> None:
        if step.state is None:
            self._states.pop(customer, None)
            self._wakes.set(customer, None)
        else:
            self._states[customer] = step.state
            wake_at = step.state.wake_at
            self._wakes.set(customer, None if wake_at is None else to_millis(wake_at))
        if self._reached is None:
            for output in step.outputs:
                self._take(output)

    def _move(self, moment: int) -> None:
        before = self._clock.millis
        if self._clock.observe(moment) != before and self._reached is None:
            self._latest.clear()

    def _counts(self, moment: int) -> bool:
        return self._reached is None and moment < self._until

    def _count(self, what: str) -> None:
        if self._counts(self._clock.millis):
            setattr(self.tally, what, getattr(self.tally, what) + 1)
