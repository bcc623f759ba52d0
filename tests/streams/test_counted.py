"""The metrics of a transaction."""

from __future__ import annotations

from typing import Any

import pytest

from processors.roles.journeys import JourneyLogic
from streams.clock import PartitionClock
from streams.metrics import REGISTRY
from streams.processor.counted import Counted
from streams.processor.store import Overlay, Store
from streams.processor.transaction import Committed, Transaction
from tests.journey.given import PLAYBOOK
from tests.streams.given import TOPICS, prepared

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def changes(**said: Any) -> Committed[Any]:
    """A committed transaction that changed no state."""
    codec, _ = await prepared()
    store: Store[Any] = Store(codec=codec, topic=TOPICS.journeys, cache_size=1)
    return Committed.of(Transaction(overlay=Overlay(store), clock=PartitionClock(), position=1, **said))


def counted(role: str, *, live: bool = True) -> Counted:
    """The counts of a role of the test's own."""
    return Counted(role=role, logic=JourneyLogic(topics=TOPICS, playbook=PLAYBOOK), live=live)


def seen(name: str, **labels: str) -> float | None:
    """Return the value of the metric."""
    return REGISTRY.get_sample_value(name, labels)


async def test_each_event_of_a_batch_counts_with_its_own_time() -> None:
    """Also those of the same millisecond; one from a clock ahead of ours counts as no time at all."""
    made = await changes(published_at=[9_000, 9_000, 9_950, 10_500])
    counted("of-a-batch").count(made, seconds=0.1, wall=10_000)
    name, role = "careline_processor_event_to_commit_seconds", "of-a-batch"
    assert seen(f"{name}_count", role=role) == 4
    assert seen(f"{name}_sum", role=role) == pytest.approx(2.05)
    assert [seen(f"{name}_bucket", role=role, le=bound) for bound in ("0.01", "0.05", "0.5", "1.0")] == [1, 2, 2, 4]


async def test_a_late_deadline_is_seen_by_the_wall_alone() -> None:
    """When a past day is replayed, every deadline is years late, and nobody waits."""
    made = await changes(fired=[4_000, 9_900], timers=2)
    counted("late-live").count(made, seconds=0.1, wall=10_000)
    counted("late-replayed", live=False).count(made, seconds=0.1, wall=10_000)
    name = "careline_processor_deadline_lateness_seconds"
    assert seen(f"{name}_sum", role="late-live") == pytest.approx(6.1)
    assert seen(f"{name}_count", role="late-replayed") == 0
    assert seen("careline_processor_timers_fired_total", role="late-replayed") == 2


async def test_a_dead_letter_names_its_publisher() -> None:
    """For whoever has to mend it. What could be read but not handled is no fault of theirs."""
    made = await changes(dead_letters={("not_avro", "shop"): 3, ("unprocessable", "shop"): 2})
    counted("names").count(made, seconds=0.1, wall=0)
    violations = "careline_contract_violations_total"
    assert seen("careline_dead_letters_total", role="names", reason="unprocessable") == 2
    assert seen("careline_dead_letters_total", role="names", reason="not_avro") == 3
    assert seen(violations, role="names", source="shop", reason="not_avro") == 3
    assert seen(violations, role="names", source="shop", reason="unprocessable") is None


async def test_the_slowest_sampled_event_is_the_example_of_its_bucket() -> None:
    """From a bar of the latency one click leads to a trace; what is no trace context leads nowhere."""
    made = await changes(published_at=[9_000, 2_000], traced=[(9_000, b"nonsense-01"), (2_000, TRACE)])
    counted("traced").count(made, seconds=0.1, wall=10_000)
    counted("untraced").count(await changes(published_at=[1], traced=[(1, b"nonsense-01")]), seconds=0.1, wall=2)
    found = {
        sample.labels["role"]: (sample.labels["le"], sample.exemplar.labels, sample.exemplar.value)
        for family in REGISTRY.collect()
        if family.name == "careline_processor_event_to_commit_seconds"
        for sample in family.samples
        if sample.exemplar is not None
    }
    assert found["traced"] == ("10.0", {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}, 8.0)
    assert "untraced" not in found
