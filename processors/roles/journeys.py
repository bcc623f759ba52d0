"""The journeys role: touchpoints in; journey state, decisions and outreach out. Thin: what it decides is the core's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog

from processors.journey.core import Advance, advance, wake
from processors.journey.playbook import Playbook
from processors.roles.counting import count
from processors.roles.role import ProcessorRole
from streams.broker.contract import Broker
from streams.clock import Clock
from streams.config import Settings
from streams.errors import Unreadable
from streams.events import (
    Decision,
    ExperimentExposed,
    JourneyState,
    OutreachRequested,
    OutreachRetracted,
    Record,
    Touchpoint,
    replace,
)
from streams.http.destinations import STRICT, Destinations, reachable
from streams.processor import Incoming, Processor, Send, Step
from streams.publishing.writers import DEFAULT, Writers
from streams.registry.registry import Registry
from streams.subscribing.admission import Admission
from streams.topics import Topics
from streams.tracing import Tracing

log = structlog.get_logger()

ROLE = "journeys"


class JourneyLogic:
    """The pure core as the processor's logic."""

    forwards_misplaced = True
    state_type = JourneyState

    def __init__(
        self, *, topics: Topics, playbook: Playbook, destinations: Destinations = STRICT, writers: Writers = DEFAULT
    ) -> None:
        """``destinations``: where a customer's webhook may lead; one that leads elsewhere is left out and told.
        ``writers``: who may write which touchpoint."""
        self.input = topics.touchpoints
        self.state_topic = topics.journeys
        # touchpoints too: a merge is told to the other customer's journey
        self.outputs = (topics.decisions, topics.outreach, topics.exposures, topics.touchpoints)
        self._topics = topics
        self._playbook = playbook
        self._destinations = destinations
        self._admission = Admission(topics, writers=writers)

    def take(self, playbook: Playbook) -> None:
        """Decide by this playbook from the next step on. To be called on the event loop, where no step is under way."""
        self._playbook = playbook

    def key(self, record: Touchpoint) -> str:
        """The customer."""
        return record.customer_id

    def admit(self, record: Touchpoint, now: datetime) -> None:
        """Raises Unreadable for a touchpoint that no reader takes."""
        self._admission.check(record, self.input, now=now)

    def receive(
        self, incoming: Incoming, state: JourneyState | None, now: datetime, *, busy: bool
    ) -> Step[JourneyState]:
        """One step of the customer's journey."""
        record: Any = incoming.record
        event, refused = reachable(record, self._destinations)
        step = self._step(advance(state, event, now=now, playbook=self._playbook))
        if step.unchanged or refused is None:
            return step
        return replace(step, refused=Unreadable(f"invalid_{refused.field}", str(refused)))

    def wake(self, key: str, state: JourneyState, now: datetime, *, busy: bool) -> Step[JourneyState]:
        """The step that a deadline leads to."""
        return self._step(wake(state, now=now, playbook=self._playbook))

    def resume(self, key: str, state: JourneyState, now: datetime) -> Step[JourneyState] | None:
        """Nothing: journeys have no effects outside."""
        return None

    def completed(self, key: str, state: JourneyState | None, result: Any, now: datetime) -> Step[JourneyState]:
        """Never called: journeys have no effects outside."""
        raise NotImplementedError("journeys have no effects outside")

    def committed(self, taken: Sequence[Record], sent: Sequence[Send]) -> None:
        """Count the touchpoints, what they say of consent and of our letters, and the decisions."""
        count(taken, sent)

    def _step(self, advanced: Advance) -> Step[JourneyState]:
        if advanced.unchanged:
            return Step(state=advanced.state, unchanged=True, handling=advanced.handling)
        sends = []
        for record in advanced.outputs:
            match record:
                case Decision():
                    topic, elsewhere = self._topics.decisions, False
                case OutreachRequested() | OutreachRetracted():
                    topic, elsewhere = self._topics.outreach, False
                case ExperimentExposed():
                    topic, elsewhere = self._topics.exposures, False
                case _:
                    topic, elsewhere = self._topics.touchpoints, True
            sends.append(Send(topic=topic, key=record.customer_id, record=record, elsewhere=elsewhere))
        return Step(state=advanced.state, sends=tuple(sends))


class JourneysRole(ProcessorRole):
    """Folds touchpoints into journeys and decides by the playbook, exactly once."""

    name = ROLE

    def __init__(
        self,
        settings: Settings,
        *,
        playbook: Playbook,
        registry: Registry,
        broker: Broker,
        clock: Clock,
        tracing: Tracing | None = None,
    ) -> None:
        writers = settings.allowed_writers
        if writers.open:
            log.info("open_to_every_source", records=writers.open, setting="CARELINE_WRITERS")
        self._logic = JourneyLogic(
            topics=settings.topics, playbook=playbook, destinations=settings.destinations, writers=writers
        )
        super().__init__(
            Processor(
                settings=settings,
                role=ROLE,
                logic=self._logic,
                registry=registry,
                broker=broker,
                clock=clock,
                tracing=tracing,
            ),
            registry=registry,
        )

    def take(self, playbook: Playbook) -> None:
        """Decide by this playbook from the next step on."""
        self._logic.take(playbook)
