"""Latency from an event's publication until its outreach request is readable, read-committed, at a steady rate.

The publisher is open-loop: every event has a scheduled time, and its latency counts from that time even if the
publisher was late. Delay notices over the threshold are evenly distributed in the mixed stream, each for a different
customer who is known from the warm-up; the role runs alone, live, on the wall clock.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.local.place import free_port
from streams.clock import SystemClock, to_millis
from streams.events import OutreachRequested, Touchpoint
from tests.benchmarks.figures import percentiles
from tests.benchmarks.ops import metrics_of, until_ready
from tests.benchmarks.programs import Program, ProgramFailed
from tests.benchmarks.rounds import ROOT, Round, fresh, producer_of
from tests.benchmarks.stream import SPAN, Wire, mixed, waits, wire_of

RATE = 1_000  # events/s
EVERY = 20  # one event in this many is a measured delay notice
_OWN = ("careline_processor_transaction_seconds_count", "careline_processor_transaction_seconds_sum")
_STRAGGLERS = 10.0  # s, for the last requests to arrive


async def measure(
    stack_env: Mapping[str, str], *, runs: int, seconds: int = 30, warm_up: int = 10, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The raw runs; a failed one has its error under ``failed``. Measures for ``seconds`` after ``warm_up`` seconds."""
    found: list[dict[str, Any]] = []
    for run in range(runs):
        tell(f"run {run + 1}: {RATE} events/s for {seconds} s")
        async with fresh(stack_env) as round_:
            try:
                found.append({"run": run + 1, **await _one(round_, seconds=seconds, warm_up=warm_up)})
            except ProgramFailed as failure:
                found.append({"run": run + 1, "failed": str(failure)})
    return found


async def _one(round_: Round, *, seconds: int, warm_up: int) -> dict[str, Any]:
    settings = round_.settings
    outreach = settings.topics.full_name(settings.topics.outreach)
    port = free_port(taken=set())
    schedule, awaited = await asyncio.to_thread(_schedule, round_, seconds=seconds, warm_up=warm_up)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder, "seen")
        arguments = [settings.kafka_bootstrap, outreach, str(settings.partitions), str(file)]
        argv = [sys.executable, "-m", "tests.benchmarks.latency_reader", *arguments]
        reader = Program("latency-reader", argv, env=round_.env, cwd=ROOT)
        async with round_.journeys(port=port, time_source="wall") as role:
            await until_ready(role, port, within=60)
            async with reader:
                while "reading" not in reader.log:
                    reader.check()
                    await asyncio.sleep(0.1)
                sent, behind = await asyncio.to_thread(_publish, round_, schedule)
                await asyncio.sleep(_STRAGGLERS / 2)
                role.check()
                cpu = role.cpu_seconds()
                await asyncio.sleep(_STRAGGLERS / 2)
                await reader.stop()
                own = await metrics_of(port, *_OWN)
                seen = file.read_text().splitlines()  # noqa: ASYNC240, nothing else runs
    await round_.codec.prepare(settings.topics.outreach)
    came: dict[str, float] = {}
    for line in seen:
        moment, value = line.split(" ")
        record: Any = await round_.codec.decode(bytes.fromhex(value))
        if isinstance(record, OutreachRequested) and record.trigger_event_id in awaited:
            came.setdefault(record.trigger_event_id, float(moment))
    if missing := sum(event_id not in came for event_id in awaited):
        raise ProgramFailed(f"{missing} of {len(awaited)} requests did not come within {_STRAGGLERS:.0f} s")
    latencies = [1e3 * (came[event_id] - sent[event_id]) for event_id in awaited]
    return {
        **percentiles(latencies),
        "samples": len(latencies),
        "publisher_behind_ms": round(1e3 * behind, 1),
        "transactions": int(own[_OWN[0]]),
        "transaction_ms": round(1e3 * own[_OWN[1]] / max(own[_OWN[0]], 1), 1),
        "cpu_share": round(cpu / (seconds + warm_up), 3),
    }


def _schedule(round_: Round, *, seconds: int, warm_up: int) -> tuple[list[tuple[str, Wire]], set[str]]:
    """All events in order, each with its id; and the ids for which a request is expected."""
    now = SystemClock().now()
    measured, before = RATE * seconds, RATE * warm_up
    known = list(waits(count=measured // EVERY, prefix="wait-", now=now))
    total = measured + before
    others: Iterator[Touchpoint] = iter(
        [arrival.event for arrival in mixed(events=total, customers=total // 6, begins=now - SPAN).arrivals]
    )
    profiles = [profile for profile, _ in known]
    room = max(before - len(profiles), 0)
    events: list[Touchpoint] = [next(others) for _ in range(room // 2)] + profiles
    events += [next(others) for _ in range(max(before - len(events), 0))]
    for number in range(measured):
        events.append(known[number // EVERY][1] if number % EVERY == 0 else next(others))
    schedule = [(event.event_id, _wire(round_, event, now)) for event in events]
    gc.freeze()  # the publisher must not pause for a garbage collection over all of it
    return schedule, {delay.event_id for _, delay in known}


def _wire(round_: Round, event: Touchpoint, now: datetime) -> Wire:
    value = round_.codec.encode(round_.settings.topics.touchpoints, event)
    return wire_of(event, value, at=now, published_at=0)


def _publish(round_: Round, schedule: list[tuple[str, Wire]]) -> tuple[dict[str, float], float]:
    """When each event was due, in seconds since 1970, and the publisher's largest delay."""
    producer = producer_of(round_.settings)
    topic, sent, behind = round_.touchpoints, {}, 0.0
    began = time.time() + 0.1
    for number, (event_id, wire) in enumerate(schedule):
        due = began + number / RATE
        rest = due - time.time()
        if rest > 0:
            time.sleep(rest)
        else:
            behind = max(behind, -rest)
        headers = [*wire.headers[:-1], ("ce_publishedat", str(to_millis(SystemClock().now())).encode())]
        producer.produce(topic, wire.value, wire.key, headers=headers)
        producer.poll(0)
        sent[event_id] = due
    producer.flush()
    return sent, behind
