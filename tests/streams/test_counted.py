"""What operators see of a partition."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from processors.roles.journeys import JourneyLogic
from streams import metrics
from streams.processor.counted import Counted
from streams.processor.store import Store
from tests.journey.given import PLAYBOOK
from tests.streams.given import TOPICS, prepared


def seen(registry: CollectorRegistry, name: str) -> float | None:
    """The figure that /metrics has for partition 3."""
    return registry.get_sample_value(name, {"role": "counted", "partition": "3"})


async def test_a_worker_that_has_recovered_shows_what_it_holds() -> None:
    """Before its first transaction: an idle worker is not an empty one."""
    codec, _ = await prepared()
    store = Store(codec=codec, topic=TOPICS.journeys, cache_size=1)
    store.put_encoded("ana", b"12345")
    counted = Counted(role="counted", partition=3, logic=JourneyLogic(topics=TOPICS, playbook=PLAYBOOK))
    counted.recovered(store, seconds=0.5)
    assert seen(metrics.REGISTRY, "careline_processor_keys") == 1
    assert seen(metrics.REGISTRY, "careline_processor_state_bytes") == 5
    assert metrics.REGISTRY.get_sample_value("careline_processor_recoveries_total", {"role": "counted"}) == 1
