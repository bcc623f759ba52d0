"""The metrics of the wire, in Prometheus's naming, each with what a change means. Those of a role stand in its package;
:mod:`processors.metrics` has all of them.

Labels never contain a customer, an event or an address.
"""

from __future__ import annotations

from typing import get_args

from prometheus_client import CollectorRegistry

from streams.events import Record
from streams.instruments import Counter, Gauge, Histogram
from streams.labels import AtMost, Closed

REGISTRY = CollectorRegistry()

LATENCY = (0.01, 0.025, 0.05, 0.1, 0.175, 0.25, 0.5, 1, 2.5, 5, 10, 15, 60, 300)
"""Bucket bounds in seconds; 1 and 10 are those of the objectives for events and letters."""

ROLES = AtMost(20)
"""Roles, and the groups of subscribers, of one process: one, and in tests a few."""
PARTITIONS = AtMost(1_000)
"""Those that a worker has. Their label sets go when it lets go of them."""
TOPICS = AtMost(30)
"""The contract's topics, which nobody but the catalogue names."""
RECORDS = Closed.of(get_args(Record))
"""Types of records."""
REASONS = AtMost(100)
"""Why a record could not be taken: our own codes, and ``invalid_`` with a field of the contract."""
POLICIES = AtMost(50)
"""The policies that are installed."""
SOURCES = AtMost(50)
"""Publishers, who name themselves."""

# -- publisher ---------------------------------------------------------------------------------------------------------
EVENTS_PUBLISHED = Counter(
    # Falls to zero while services run: they cannot reach the broker; look at their publish errors.
    "careline_events_published_total",
    "Events acknowledged by the broker.",
    {"record": RECORDS},
    registry=REGISTRY,
)
EVENTS_REFUSED = Counter(
    # Rises: a service builds events that break the contract; its log names the field.
    "careline_events_refused_total",
    "Events refused when published because they break the contract.",
    {"record": RECORDS},
    registry=REGISTRY,
)

# -- transactional processor -------------------------------------------------------------------------------------------
RECORDS_PROCESSED = Counter(
    # Flat while the lag is above zero: the partition is stuck or stopped.
    "careline_processor_records_total",
    "Committed input records, by how each was handled.",
    {
        "role": ROLES,
        "handling": Closed("folded", "duplicate", "passed_over", "too_late", "forwarded", "dead_letter"),
    },
    registry=REGISTRY,
)
RECORDS_SENT = Counter(
    "careline_processor_sent_total",
    "Records committed to an output topic.",
    {"role": ROLES, "topic": TOPICS},
    registry=REGISTRY,
)
TRANSACTIONS = Counter(
    # aborted rises: brokers are unavailable, or two workers compete for a partition.
    "careline_processor_transactions_total",
    "Transactions, by how they ended.",
    {"role": ROLES, "end": Closed("committed", "aborted")},
    registry=REGISTRY,
)
ISOLATIONS = Counter(
    # Rises: records arrive that cannot be handled; see the dead letters with reason unprocessable.
    "careline_processor_isolations_total",
    "Transactions repeated item by item because an item in them failed.",
    {"role": ROLES},
    registry=REGISTRY,
)
TRANSACTION_SECONDS = Histogram(
    "careline_processor_transaction_seconds",
    "Time from handling the first record of a transaction to its commit.",
    {"role": ROLES},
    buckets=LATENCY,
    registry=REGISTRY,
)
EVENT_TO_COMMIT_SECONDS = Histogram(
    # The promise to the customer: a rising p99 means that letters leave late.
    "careline_processor_event_to_commit_seconds",
    "Time from an event's publication (its ce_publishedat header, else the broker's time) to its effects' commit.",
    {"role": ROLES},
    buckets=LATENCY,
    registry=REGISTRY,
)
LAG_RECORDS = Gauge(
    # Rises steadily: more records arrive than are handled; add workers, up to the number of partitions.
    "careline_processor_lag_records",
    "Input records not handled yet.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
LAG_SECONDS = Gauge(
    "careline_processor_lag_seconds",
    "Age of the oldest input record not handled yet; 0 if there is none.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
KEYS = Gauge(
    "careline_processor_keys",
    "Keys with state in memory.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
STATE_BYTES = Gauge(
    "careline_processor_state_bytes",
    "Encoded state in memory, in bytes.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
TIMERS_FIRED = Counter("careline_processor_timers_fired_total", "Deadlines fired.", {"role": ROLES}, registry=REGISTRY)
RECOVERIES = Counter(
    # More than deployments and rebalances explain: transactions fail; see the aborted ones.
    "careline_processor_recoveries_total",
    "How often a partition was taken over and its state rebuilt.",
    {"role": ROLES},
    registry=REGISTRY,
)
RECOVERY_SECONDS = Histogram(
    "careline_processor_recovery_seconds",
    "Time from taking over a partition to its first poll.",
    {"role": ROLES},
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=REGISTRY,
)
PARTITIONS_OWNED = Gauge(
    "careline_processor_partitions_owned", "Partitions this worker is processing.", {"role": ROLES}, registry=REGISTRY
)
PARTITIONS_STOPPED = Gauge(
    # Above zero: page somebody, and look at the dead letters.
    "careline_processor_partitions_stopped",
    "Partitions that stopped because most records were unreadable.",
    {"role": ROLES},
    registry=REGISTRY,
)
EFFECTS_IN_FLIGHT = Gauge(
    "careline_processor_effects_in_flight", "Side effects in flight.", {"role": ROLES}, registry=REGISTRY
)

# -- every reader ------------------------------------------------------------------------------------------------------
DEAD_LETTERS = Counter(
    # Rises at all: somebody publishes records that cannot be read; `careline dlq list` shows which and from where.
    "careline_dead_letters_total",
    "Records written to the dead-letter topic.",
    {"role": ROLES, "reason": REASONS},
    registry=REGISTRY,
)

# -- HTTP ports --------------------------------------------------------------------------------------------------------
CONNECTIONS_CLOSED = Counter(
    # Rises: somebody opens connections and sends nothing, or more callers come than are provided for (refused).
    "careline_http_connections_closed_total",
    "Connections closed because there were too many: idle ones that made room, and refused new ones.",
    {"why": Closed("made_room", "refused")},
    registry=REGISTRY,
)
