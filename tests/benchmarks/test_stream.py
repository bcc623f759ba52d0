"""The mixed stream is what its description says, and the peers read it as we do."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import schemas
from streams.avro.codec import schema_id_of
from streams.config import Settings
from streams.events import DelayNoticed, OrderPlaced, OutreachRequested
from tests.benchmarks.folding import Folding, by_partition
from tests.benchmarks.million import rekeyed
from tests.benchmarks.peers import wire as peers_wire
from tests.benchmarks.stream import Stream, mixed, waits
from tests.journey.codec import TOPICS, codec
from tests.journey.given import NOON, PLAYBOOK, given

EVENTS, CUSTOMERS = 12_000, 2_000


@pytest.fixture(scope="module")
def stream() -> Stream:
    """A small one."""
    return mixed(events=EVENTS, customers=CUSTOMERS)


def test_the_same_seed_gives_the_same_stream(stream: Stream) -> None:
    """And another one another."""
    assert mixed(events=EVENTS, customers=CUSTOMERS).arrivals == stream.arrivals
    assert mixed(events=EVENTS, customers=CUSTOMERS, seed=stream.seed + 1).arrivals != stream.arrivals


def test_the_mix_is_as_described(stream: Stream) -> None:
    """Everybody is there, of every kind something, a tenth of the orders late, few duplicates and few late arrivals."""
    counts = stream.counts()
    assert len(stream.arrivals) == EVENTS
    assert len({arrival.event.customer_id for arrival in stream.arrivals}) == CUSTOMERS
    kinds = {name.rpartition(".")[2] for name in TOPICS.touchpoints.records if ".touchpoint." in name}
    assert kinds - counts.keys() == {"AgentTaskDone", "CustomerErased", "OrderCancelled", "ProfilesMerged"}
    events = {arrival.event.event_id: arrival.event for arrival in stream.arrivals}
    assert 0.003 < 1 - len(events) / EVENTS < 0.007
    late = [one for one in stream.arrivals if one.at - one.event.occurred_at > timedelta(minutes=30)]
    assert 0.005 < len(late) / EVENTS < 0.015
    delayed = {event.subject_id for event in events.values() if isinstance(event, DelayNoticed)}
    orders = [event for event in events.values() if isinstance(event, OrderPlaced)]
    assert 0.07 < len(delayed) / len(orders) < 0.13
    assert all(one.at <= other.at for one, other in pairwise(stream.arrivals))


def test_too_few_events_for_so_many_customers_are_refused() -> None:
    """A stream of sign-ups alone would measure something else."""
    with pytest.raises(ValueError):
        mixed(events=CUSTOMERS, customers=CUSTOMERS)


def test_peers_read_what_we_wrote(stream: Stream, tmp_path: Path) -> None:
    """By the schema id in the record, and they count every event of every customer."""
    wires = stream.encoded(Settings(), codec(), published_at=0)
    for arrival, wired in zip(stream.arrivals, wires, strict=True):
        name = f"careline.touchpoint.{type(arrival.event).__name__}"
        file = tmp_path / f"{schema_id_of(wired.value)}.avsc"
        if not file.exists():
            file.write_text(json.dumps(schemas.latest(name)))
    touchpoints = peers_wire.Touchpoints(tmp_path)
    aggregates: dict[str, peers_wire.Aggregate] = {}
    for wired in wires:
        event = touchpoints.decode(wired.value)
        customer = event["customer_id"]
        aggregates[customer] = peers_wire.add(aggregates.get(customer), event)
    seen = Counter(arrival.event.customer_id for arrival in stream.arrivals)
    assert {customer: one["touchpoints"] for customer, one in aggregates.items()} == seen


async def test_a_state_under_another_id_is_that_customers_state(stream: Stream) -> None:
    """Byte for byte what the codec writes of it, so that a million of them are as good as real."""
    topics = TOPICS
    folding = Folding(topics=topics, codec=codec(), playbook=PLAYBOOK, partitions=1)
    [wires] = by_partition(stream.encoded(Settings(), codec(), published_at=0), 1)
    await folding.run(wires)
    assert len(folding.states) == CUSTOMERS
    assert folding.encoded["outputs"] > 0
    pool = [(key.encode(), value) for key, value in folding.states.items()]
    made = dict(rekeyed(pool, 3 * CUSTOMERS))
    assert len(made) == 3 * CUSTOMERS
    for key, value in made.items():
        state = await codec().decode(value)
        assert state.customer_id == key.decode()
        assert codec().encode(topics.journeys, state) == value


def test_every_wait_asks_for_one_letter_at_once() -> None:
    """Whatever hour it is, no night holds the letter back: a latency without its request would be none."""
    for hour in range(24):
        now = NOON.replace(hour=hour)
        for profile, delay in waits(count=2, prefix="w", now=now):
            journey = given(profile, delay)
            [request] = [one for one in journey.everything if isinstance(one, OutreachRequested)]
            assert request.trigger_event_id == delay.event_id
