"""The metrics of the view role. Each with what a change means."""

from __future__ import annotations

from streams.instruments import Counter, Gauge
from streams.metrics import REASONS, REGISTRY, TOPICS

VIEW_RECORDS = Counter(
    "careline_view_records_total", "Records projected to Redis, by topic.", {"topic": TOPICS}, registry=REGISTRY
)
VIEW_REBUILDS = Counter(
    # More than one after a start: Redis loses its data.
    "careline_view_rebuilds_total",
    "How often the view was rebuilt from the topics.",
    registry=REGISTRY,
)
VIEW_SKIPPED = Counter(
    # Rises with careline_dead_letters_total: the same records, which the journeys role writes to the dead-letter topic.
    "careline_view_skipped_total",
    "Records the view does not show: unreadable, against the contract, or failing in the view (unprocessable).",
    {"topic": TOPICS, "reason": REASONS},
    registry=REGISTRY,
)
VIEW_LAG_RECORDS = Gauge(
    "careline_view_lag_records", "Records not projected yet.", {"topic": TOPICS}, registry=REGISTRY
)
