"""The way through the day: publish in event time, kill on the way if asked to, wait until all is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from processors.demo.roles import Roles
from processors.settings import Settings
from processors.simulator import Arrival
from streams import Publisher, Subscriber
from streams.clock import SystemClock, to_millis
from streams.errors import CarelineError
from streams.events import OutreachRequested
from streams.publishing.cloudevents import published_at_millis

_SETTLED_LOOKS = 3
_LOOK_SECONDS = 0.4
_PATIENCE_SECONDS = 180
_KILLED = ("journeys", "outreach")


class NotSettled(CarelineError):
    """The roles did not get through what was published in time."""


@dataclass(slots=True)
class Seen:
    """What a subscriber of the outreach saw while the day went by; latencies in milliseconds of the wall clock."""

    requested: int = 0
    latencies: list[int] = field(default_factory=list)


Progress = Callable[[int, datetime], None]
"""Told how many were published, and what time it is in the day."""


async def publish(settings: Settings, arrivals: tuple[Arrival, ...], *, speed: float, progress: Progress) -> None:
    """Publish the arrivals at ``speed`` times real time (0: as fast as it goes), each with its own time."""
    began, opens = time.monotonic(), arrivals[0].at
    async with Publisher(settings) as publisher:
        for number, arrival in enumerate(arrivals, 1):
            if speed:
                ahead = (arrival.at - opens).total_seconds() / speed - (time.monotonic() - began)
                if ahead > 0.005:
                    await asyncio.sleep(ahead)
            await publisher.enqueue(arrival.event, at=arrival.at)
            if number % 50 == 0 or number == len(arrivals):
                progress(number, arrival.at)
        await publisher.flush()


async def watch(settings: Settings, seen: Seen) -> None:
    """Follow the outreach topic as a subscriber would, until cancelled."""
    clock = SystemClock()
    async with Subscriber(settings, "outreach") as outreach:
        async for message in outreach:
            if not isinstance(message.record, OutreachRequested):
                continue
            seen.requested += 1
            published = published_at_millis(message.headers)
            if published is not None:  # what a timer led to has no touchpoint behind it
                seen.latencies.append(to_millis(clock.now()) - published)


async def kill(roles: Roles, *, times: int, within: float, seed: int, told: Callable[[str], None]) -> None:
    """kill -9 the journeys and outreach roles in turn, ``times`` times at seeded moments of ``within`` seconds."""
    random = Random(seed)
    moments = sorted(random.uniform(0.05, 0.95) * within for _ in range(times))
    began = time.monotonic()
    for number, moment in enumerate(moments):
        await asyncio.sleep(max(moment - (time.monotonic() - began), 0))
        role = roles.by_name[_KILLED[number % len(_KILLED)]]
        role.kill()
        role.start()
        told(role.name)


async def settle(roles: Roles, partitions: int) -> None:
    """Wait until the roles have nothing left to do. Raises NotSettled."""
    until = time.monotonic() + _PATIENCE_SECONDS
    before: tuple[float, ...] = ()
    looks = 0
    while looks < _SETTLED_LOOKS:
        if time.monotonic() > until:
            raise NotSettled(f"still busy after {_PATIENCE_SECONDS} s: {await _busy(roles, partitions)}")
        await roles.wait_until_ready()
        busy, now = await _busy(roles, partitions), await _done(roles)
        looks = looks + 1 if not busy and now == before else 0
        before = now
        await asyncio.sleep(_LOOK_SECONDS)


async def _busy(roles: Roles, partitions: int) -> list[str]:
    found = []
    for name in _KILLED:
        metrics = await roles.metrics(name)
        if metrics.get("careline_processor_partitions_owned", 0) < partitions:
            found.append(f"{name} owns only some partitions")
        for metric in ("careline_processor_lag_records", "careline_processor_effects_in_flight"):
            if metrics.get(metric, 0):
                found.append(f"{name}: {metrics[metric]:.0f} {metric}")
    if (await roles.metrics("view")).get("careline_view_lag_records", 1):
        found.append("the view is behind")
    return found


async def _done(roles: Roles) -> tuple[float, ...]:
    done = []
    for name, metric in (
        ("journeys", "careline_processor_records_total"),
        ("outreach", "careline_processor_records_total"),
        ("view", "careline_view_records_total"),
        ("measure", "careline_measure_records_total"),
    ):
        done.append((await roles.metrics(name)).get(metric, 0))
    return tuple(done)
