"""Faults in every stage of a step, for one event in a thousand: which, and where, is a hash of the event's id.

So they are the same in every life of a worker and in the oracle. Those in a policy or in the guard cost a decision,
and the oracle has them as well; any other one costs its record, which has to be a dead letter.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any

from processors.journey import asking
from processors.journey.core import Advance
from processors.journey.playbook import Playbook
from processors.journey.policy import Policy
from processors.journey.state import digest
from processors.roles import journeys
from streams.events import Decision, DecisionKind, JourneyState, Touchpoint, replace
from streams.processor.intake import Intake

ONE_IN = 1_000
_TOO_LARGE = 24 << 20  # bytes; more than any topic takes, however it is packed


class Planted(StrEnum):
    """Where an event's step fails."""

    DECODE = "decode"
    ADMIT = "admit"
    FOLD = "fold"
    POLICY = "policy"
    GUARD = "guard"
    OUTPUT = "output"
    STATE = "state"
    TOO_LARGE = "too large"


CONTAINED = (Planted.POLICY, Planted.GUARD)
"""They cost a decision, not the record."""


_for_good = ExitStack()


class PlantedError(Exception):
    """A fault that was planted."""


def planted(event_id: str) -> Planted | None:
    """Where the event's step fails; None for nearly all."""
    return _of(digest(event_id))


def costs_its_record(event: Touchpoint) -> bool:
    """Whether the event has to be a dead letter."""
    where = planted(event.event_id)
    return where is not None and where not in CONTAINED


def ids_of(where: Planted, rng: random.Random) -> Iterator[str]:
    """Event ids that fail there."""
    while True:
        identity = str(uuid.UUID(int=rng.getrandbits(128)))
        if planted(identity) is where:
            yield identity


def _of(mark: bytes) -> Planted | None:
    number = int.from_bytes(mark, "big")
    stages = tuple(Planted)
    return stages[number // ONE_IN % len(stages)] if number % ONE_IN == 0 else None


def _latest(state: JourneyState) -> Planted | None:
    """Of the latest event that the customer's state knows: what is planted in a policy is a matter of the state."""
    return _of(state.recent_events[-8:]) if state.recent_events else None


class _Failing:
    """A policy that raises for some customers; else the real one."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def concerns(self, state: JourneyState) -> bool:
        if _latest(state) is Planted.POLICY:
            raise PlantedError("planted in a policy")
        return self._policy.concerns(state)


@contextmanager
def in_policies_and_guard() -> Iterator[None]:
    """The faults that the core contains: for workers and oracle alike."""
    in_order, guard = asking.in_order, asking.guard
    known: dict[tuple[Policy, ...], tuple[Any, ...]] = {}

    def failing(playbook: Playbook) -> tuple[Any, ...]:
        policies = in_order(playbook)
        if policies not in known:
            known[policies] = tuple(_Failing(policy) if policy.name == "delay_care" else policy for policy in policies)
        return known[policies]

    def guarded(want: Any, state: JourneyState, now: datetime, playbook: Any) -> Any:
        if _latest(state) is Planted.GUARD:
            raise PlantedError("planted in the guard")
        return guard(want, state, now, playbook)

    asking.in_order, asking.guard = failing, guarded  # type: ignore[assignment]
    try:
        yield
    finally:
        asking.in_order, asking.guard = in_order, guard  # type: ignore[assignment]


def plant() -> None:
    """All faults, for the rest of this process: in a worker."""
    _for_good.enter_context(everywhere())


@contextmanager
def everywhere() -> Iterator[None]:
    """All faults, as long as the block runs."""
    decode, admit, advance = Intake.decode, journeys.JourneyLogic.admit, journeys.advance

    async def decoded(self: Intake, record: Any) -> Any:
        event: Any = await decode(self, record)
        if planted(event.event_id) is Planted.DECODE:
            raise PlantedError("planted in decode")
        return event

    def admitted(self: Any, record: Touchpoint, now: datetime) -> None:
        admit(self, record, now)
        if planted(record.event_id) is Planted.ADMIT:
            raise PlantedError("planted in admit")

    def advanced(state: JourneyState | None, event: Touchpoint, *, now: datetime, playbook: Any) -> Advance:
        where = planted(event.event_id)
        if where is Planted.FOLD:
            raise PlantedError("planted in fold")
        step = advance(state, event, now=now, playbook=playbook)
        return _spoilt(step, event, now, where)

    with in_policies_and_guard():
        Intake.decode = decoded  # type: ignore[method-assign]
        journeys.JourneyLogic.admit = admitted  # type: ignore[method-assign]
        journeys.advance = advanced
        try:
            yield
        finally:
            Intake.decode = decode  # type: ignore[method-assign]
            journeys.JourneyLogic.admit = admit  # type: ignore[method-assign]
            journeys.advance = advance


def _spoilt(step: Advance, event: Touchpoint, now: datetime, where: Planted | None) -> Advance:
    """A step that comes to something nobody can write down."""
    match where:
        case Planted.OUTPUT:  # half of a pair of surrogates is no UTF-8
            return Advance(state=step.state, outputs=(*step.outputs, _decision(event, now, "half \ud83d")))
        case Planted.TOO_LARGE:
            return Advance(state=step.state, outputs=(*step.outputs, _decision(event, now, "x" * _TOO_LARGE)))
        case Planted.STATE if step.state is not None:
            return Advance(state=_unwritable(step.state), outputs=step.outputs)
        case Planted.STATE:
            raise PlantedError("there is no state to spoil")
        case _:
            return step


def _unwritable(state: JourneyState) -> JourneyState:
    return replace(state, profile=replace(state.profile, name="half \ud83d"), revision=state.revision + 1)


def _decision(event: Touchpoint, now: datetime, explanation: str) -> Decision:
    return Decision(
        decision_id=f"planted-{event.event_id}", customer_id=event.customer_id, decided_at=now,
        kind=DecisionKind.SUPPRESS, reason="planted", explanation=explanation, policy="planted", playbook_version="",
        journey_id="", occasion="",
    )  # fmt: skip
