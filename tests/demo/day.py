"""A simulated day through the pure core, in memory: what the journeys role would decide of it."""

from __future__ import annotations

import heapq
from datetime import datetime

from processors.journey.core import Advance, advance, wake
from processors.journey.playbook import Playbook
from processors.journey.recording import Output
from processors.simulator import StormDay
from streams.events import JourneyState


def decided(day: StormDay, playbook: Playbook) -> list[Output]:
    """Everything that is sent out while the day goes by; deadlines fire at their own time, as in the role."""
    states: dict[str, JourneyState] = {}
    deadlines: list[tuple[datetime, str]] = []
    outputs: list[Output] = []

    def take(customer: str, step: Advance) -> None:
        assert step.state is not None  # nobody is erased in a simulated day
        states[customer] = step.state
        outputs.extend(step.outputs)
        if step.state.wake_at is not None:
            heapq.heappush(deadlines, (step.state.wake_at, customer))

    for arrival in day.arrivals:
        while deadlines and deadlines[0][0] <= arrival.at:
            at, customer = heapq.heappop(deadlines)
            if states[customer].wake_at == at:
                take(customer, wake(states[customer], now=at, playbook=playbook))
        customer = arrival.event.customer_id
        take(customer, advance(states.get(customer), arrival.event, now=arrival.at, playbook=playbook))
    return outputs
