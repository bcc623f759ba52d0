"""The metrics of the view role. Each with what a change means."""

from __future__ import annotations

from streams.instruments import Counter, Gauge
from streams.labels import AtMost
from streams.metrics import REASONS, REGISTRY, TOPICS

TEAMS = AtMost(20)
"""Those that ever had a task; what is beyond is added up as ``other``."""

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
VIEW_LAG_SECONDS = Gauge(
    # Rises steadily: Redis is away, or more comes than is projected; what `careline customer` shows is as old as this.
    "careline_view_lag_seconds",
    "Age of the oldest record not projected yet; 0 if there is none.",
    {"topic": TOPICS},
    registry=REGISTRY,
)
VIEW_REDIS_BYTES = Gauge(
    # Nears maxmemory: Redis will refuse writes, and the view stands still; give it more, or keep less.
    "careline_view_redis_bytes",
    "Memory that Redis uses, of everything that is in it.",
    registry=REGISTRY,
)
VIEW_REDIS_BYTES.set_function(lambda: None)  # only the view role asks
VIEW_TASKS_OPEN = Gauge(
    # Grows: a team gets more tasks than it does.
    "careline_view_tasks_open",
    "Open tasks for staff, by team.",
    {"team": TEAMS},
    registry=REGISTRY,
)
VIEW_TASKS_OVERDUE = Gauge(
    # Above zero for long: customers wait for somebody of that team; `careline tasks --team` shows for whom.
    "careline_view_tasks_overdue",
    "Open tasks for staff that should have been done by now, by team.",
    {"team": TEAMS},
    registry=REGISTRY,
)
