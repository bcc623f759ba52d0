"""A simulated day through the pure core, in memory: what the journeys role would decide of it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from processors.journey.core import Advance, advance, wake
from processors.journey.playbook import Playbook
from processors.journey.recording import Output
from processors.simulator import StormDay
from streams.clock import from_millis, to_millis
from streams.events import JourneyState, OutreachRequested, OutreachSent, Touchpoint
from streams.order import due_before, follow
from streams.processor.deadlines import Deadlines


def decided(day: StormDay, playbook: Playbook, *, takes: Callable[[], timedelta] | None = None) -> list[Output]:
    """Everything that is sent out while the day goes by; deadlines fire at their own time, as in the role.

    ``takes`` says, for each request, how long after it the journey is told that it was sent; without it nothing is
    told. Time ends with the day.
    """
    end = day.arrivals[-1].at
    states: dict[str, JourneyState] = {}
    wakes = Deadlines()
    facts: list[tuple[datetime, int, Touchpoint]] = []
    numbers = count()
    outputs: list[Output] = []

    def take(customer: str, step: Advance, now: datetime) -> None:
        assert step.state is not None  # nobody is erased in a simulated day
        states[customer] = step.state
        outputs.extend(step.outputs)
        follow(wakes, customer, step.state)
        for request in step.outputs:
            if takes is not None and isinstance(request, OutreachRequested):
                heapq.heappush(facts, (min(now + takes(), end), next(numbers), _sent(request)))

    for arrival in day.arrivals:
        heapq.heappush(facts, (arrival.at, next(numbers), arrival.event))
    while facts:
        now, _, fact = heapq.heappop(facts)
        for millis, customer in due_before(wakes, to_millis(now)):
            at = from_millis(millis)
            take(customer, wake(states[customer], now=at, playbook=playbook), at)
        step = advance(states.get(fact.customer_id), fact, now=now, playbook=playbook)
        take(fact.customer_id, step, now)
    return outputs


def _sent(request: OutreachRequested) -> OutreachSent:
    return OutreachSent(
        event_id=f"sent/{request.outreach_id}",
        customer_id=request.customer_id,
        occurred_at=request.requested_at,
        source="careline/outreach",
        outreach_id=request.outreach_id,
        channel=request.addresses[0].channel,
        provider="a provider",
    )
