"""`python -m tests.benchmarks.view_memory`: bytes of Redis that the view holds for a customer of a realistic mix.

Two mixes: ``everyday`` is the mixed stream with 6.4 touchpoints a customer, as a shop had in two years; ``storm`` is
the simulated storm day, with several letters and tasks a customer. The production core decides; every letter leaves,
every task is handed over as it would be written. What the topics then hold is projected as
the view role does it, into an empty Redis of its own. Bytes are those that the server counts (`used_memory`), less an
empty server's. Medians of the runs, each with a seed of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

from deploy.local.parts import redis_program
from deploy.local.place import free_port
from processors.journey.core import Advance, advance, wake
from processors.letters.templates import Templates
from processors.outreach.channels import Letter
from processors.outreach.tasks import task_of
from processors.playbook import load_playbook
from processors.settings import Settings
from processors.simulator import STORM_DAY, storm_day
from processors.simulator.journal import Arrival
from processors.view.projection import PREFIX, Place, Write, project
from processors.view.redis_store import RedisViewStore
from streams import events
from streams.avro.records import NAMES
from streams.clock import from_millis, to_millis
from streams.processor.wakes import Wakes
from streams.topics import Topics
from tests.benchmarks.machine import machine
from tests.benchmarks.stream import mixed

PER_CUSTOMER = 6.4
_BATCH = 2_000
_LEAVES_AFTER = timedelta(seconds=1)


class Lives:
    """What the topics hold after these touchpoints arrived."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        self._playbook = load_playbook()
        self._templates = Templates.of(self._playbook)
        self._arrivals = arrivals
        self._states: dict[str, events.JourneyState] = {}
        self._wakes = Wakes()
        self._topics = Topics()
        self._offsets: Counter[str] = Counter()

    def records(self) -> Iterator[tuple[Any, Place]]:
        """Every record, in the order of its time, with the place where it stands."""
        for arrival in self._arrivals:
            at = to_millis(arrival.at)
            while (due := self._wakes.pop_due(at)) is not None:
                millis, customer = due
                if customer in self._states:
                    yield from self._done(
                        customer, wake(self._states[customer], now=from_millis(millis), playbook=self._playbook)
                    )
            yield from self._touchpoint(arrival.event, arrival.at)
        for state in self._states.values():
            yield self._placed(state)

    def _touchpoint(self, event: Any, now: datetime) -> Iterator[tuple[Any, Place]]:
        yield self._placed(event)
        step = advance(self._states.get(event.customer_id), event, now=now, playbook=self._playbook)
        if not step.unchanged:
            yield from self._done(event.customer_id, step)

    def _done(self, customer: str, step: Advance) -> Iterator[tuple[Any, Place]]:
        if step.state is not None:
            self._states[customer] = step.state
            wake_at = step.state.wake_at
            self._wakes.set(customer, None if wake_at is None else to_millis(wake_at))
        for output in step.outputs:
            if isinstance(output, events.ExperimentExposed):
                continue
            yield self._placed(output)
            if isinstance(output, events.OutreachRequested):
                yield from self._left(output)

    def _left(self, request: events.OutreachRequested) -> Iterator[tuple[Any, Place]]:
        now = request.requested_at + _LEAVES_AFTER
        channel = events.OutreachChannel.AGENT_TASK if request.due_at is not None else events.OutreachChannel.EMAIL
        sent = events.OutreachSent(
            event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"sent/{request.outreach_id}")),
            customer_id=request.customer_id,
            occurred_at=now,
            source="careline/outreach",
            outreach_id=request.outreach_id,
            channel=channel,
            provider="smtp",
            provider_message_id=f"{request.outreach_id}@careline.example",
        )
        if request.due_at is not None:
            written = self._templates.render(request, channel=channel, unsubscribe=None)
            letter = Letter.of(request, address=request.addresses[0], written=written)
            yield self._placed(task_of(request, letter, now))
        yield self._placed(sent, on="careline.outcomes")
        yield from self._touchpoint(sent, now)  # fed back

    def _placed(self, record: Any, on: str | None = None) -> tuple[Any, Place]:
        name = NAMES[type(record)].split(".")[1] if on is None else on
        topic = on or {"touchpoint": "careline.touchpoints", "outcome": "careline.touchpoints"}.get(
            name, f"careline.{name}"
        )
        self._offsets[topic] += 1
        return record, Place(topic=topic, partition=hash(record.customer_id) % 8, offset=self._offsets[topic])


@contextlib.contextmanager
def own_redis() -> Iterator[str]:
    """A Redis of our own with default settings, gone afterwards; its URL."""
    port = free_port(taken=())
    with TemporaryDirectory() as home:
        words = ["--port", str(port), "--bind", "127.0.0.1", "--dir", home, "--save", "", "--appendonly", "no"]
        server = subprocess.Popen([redis_program(), *words], stdout=subprocess.DEVNULL)
        try:
            client = Redis(port=port)
            for _ in range(200):
                with contextlib.suppress(RedisError):
                    if client.ping():
                        break
                time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait()


def everyday(seed: int, customers: int) -> Sequence[Arrival]:
    """The mixed stream, cut off where there are as many touchpoints a customer as in a shop's two years."""
    return mixed(events=int(customers * PER_CUSTOMER), customers=customers, seed=seed).arrivals


def storm(seed: int, customers: int) -> Sequence[Arrival]:
    """The day of the snow storm: many letters and tasks a customer. It brings its own number of customers."""
    return storm_day(date=STORM_DAY, seed=seed).arrivals


MIXES: Mapping[str, Callable[[int, int], Sequence[Arrival]]] = {"everyday": everyday, "storm": storm}


async def measure(arrivals: Sequence[Arrival], *, seed: int) -> dict[str, Any]:
    """One run: bytes a customer, and of these each family of keys; how long it took to write them."""
    lives = Lives(arrivals)
    customers = len({arrival.event.customer_id for arrival in arrivals})
    counted: Counter[str] = Counter()
    batches: list[list[Write]] = [[]]
    for record, place in lives.records():
        counted[type(record).__name__] += 1
        if len(batches[-1]) >= 3 * _BATCH:
            batches.append([])
        batches[-1].extend(project(record, place))
    with own_redis() as url:
        server = Redis.from_url(url)
        store = RedisViewStore(Settings(redis_url=SecretStr(url)))
        standing = await store.begin()
        empty = server.info("memory")["used_memory"]
        began, cpu = time.perf_counter(), time.process_time()
        for batch in batches:
            standing = await store.apply(standing, batch, {})
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        await store.close()
        held = server.info("memory")["used_memory"] - empty
        families: Counter[str] = Counter()
        keys = list(server.scan_iter(match=f"{PREFIX}*", count=10_000))
        for key in keys:
            families[key.decode().removeprefix(PREFIX).partition(":")[0]] += server.memory_usage(key, samples=0)
        server.close()
    records = sum(counted.values())
    return {
        "seed": seed,
        "customers": customers,
        "touchpoints": len(arrivals),
        "bytes_a_customer": round(held / customers),
        "families": {name: round(size / customers) for name, size in families.most_common()},
        "keys_a_customer": round(len(keys) / customers, 1),
        "records": records,
        "records_a_second": round(records / took),
        "writer_us_a_record": round(cpu / records * 1e6, 1),
        "counted": dict(counted.most_common()),
    }


def main() -> int:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.view_memory", description=str(__doc__))
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    mixes = {}
    for name, arrivals_of in MIXES.items():
        seeds = range(1, args.runs + 1)
        runs = [asyncio.run(measure(arrivals_of(seed, args.customers), seed=seed)) for seed in seeds]
        middle = statistics.median(run["bytes_a_customer"] for run in runs)
        mixes[name] = {"bytes_a_customer": middle, "runs": runs}
    summary = {"machine": machine(), **mixes}
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
