"""The metrics of the transactional processor. Each with what a change means."""

from __future__ import annotations

from streams.instruments import Counter, Gauge, Histogram
from streams.labels import Closed
from streams.metrics import LATENCY, PARTITIONS, REGISTRY, ROLES, TOPICS

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
    # Rises steadily, or stays above a few seconds: customers wait; see whether anything is committed.
    "careline_processor_lag_seconds",
    "Age of the oldest input record not handled yet, from its publication; 0 if there is none.",
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
DEADLINES = Gauge(
    # Falls to zero while there are customers: nobody is looked after any more when time passes.
    "careline_processor_deadlines",
    "Deadlines set.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
DEADLINE_OVERDUE_SECONDS = Gauge(
    # Rises: deadlines are due and do not fire; the partition is behind its records, or waits for side effects.
    "careline_processor_deadline_overdue_seconds",
    "How long the oldest due deadline has waited to fire; 0 if none is due.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
DEADLINE_LATENESS_SECONDS = Histogram(
    # A rising p99: reminders and apologies leave later than the playbook says.
    "careline_processor_deadline_lateness_seconds",
    "Time from when a deadline was due, or was set if it was due before, to the commit of what it led to.",
    {"role": ROLES},
    buckets=LATENCY,
    registry=REGISTRY,
)
TIMERS_FIRED = Counter("careline_processor_timers_fired_total", "Deadlines fired.", {"role": ROLES}, registry=REGISTRY)
REBALANCES = Counter(
    # More than deployments explain: workers join and leave again and again, and each time all of them pause.
    "careline_processor_rebalances_total",
    "How often the group assigned partitions to this worker.",
    {"role": ROLES},
    registry=REGISTRY,
)
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
RECOVERY_REMAINING_RECORDS = Gauge(
    # Does not fall: the brokers do not answer, or this worker has no processor time.
    "careline_processor_recovery_remaining_records",
    "State records still to read before the partition is worked on; 0 once it is recovered.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
RECOVERY_REMAINING_SECONDS = Gauge(
    # Rises: reading slows down.
    "careline_processor_recovery_remaining_seconds",
    "Time until the partition is recovered, estimated from the pace so far; 0 once it is.",
    {"role": ROLES, "partition": PARTITIONS},
    registry=REGISTRY,
)
PARTITIONS_OWNED = Gauge(
    "careline_processor_partitions_owned", "Partitions this worker is processing.", {"role": ROLES}, registry=REGISTRY
)
PARTITIONS_STOPPED = Gauge(
    # Above zero: page somebody, and look at the dead letters.
    "careline_processor_partitions_stopped",
    "Partitions of this worker that are stopped because most records were unreadable.",
    {"role": ROLES},
    registry=REGISTRY,
)
EFFECTS_IN_FLIGHT = Gauge(
    "careline_processor_effects_in_flight", "Side effects in flight.", {"role": ROLES}, registry=REGISTRY
)
