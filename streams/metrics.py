"""The metric catalogue: every metric of every role, in Prometheus's naming, each with what a change means.

Labels never contain a customer, an event or an address.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.175, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)

# -- publisher ---------------------------------------------------------------------------------------------------------
EVENTS_PUBLISHED = Counter(
    # Falls to zero while services run: they cannot reach the broker; look at their publish errors.
    "careline_events_published_total",
    "Events acknowledged by the broker.",
    ["record"],
    registry=REGISTRY,
)
EVENTS_REFUSED = Counter(
    # Rises: a service builds events that break the contract; its log names the field.
    "careline_events_refused_total",
    "Events refused when published because they break the contract.",
    ["record"],
    registry=REGISTRY,
)

# -- transactional processor -------------------------------------------------------------------------------------------
RECORDS_PROCESSED = Counter(
    # Flat while the lag is above zero: the partition is stuck or stopped.
    "careline_processor_records_total",
    "Committed input records, by how each was handled.",
    ["role", "handling"],  # folded, duplicate, passed_over, too_late, forwarded, dead_letter
    registry=REGISTRY,
)
RECORDS_SENT = Counter(
    "careline_processor_sent_total",
    "Records committed to an output topic.",
    ["role", "topic"],
    registry=REGISTRY,
)
TRANSACTIONS = Counter(
    # aborted rises: brokers are unavailable, or two workers compete for a partition.
    "careline_processor_transactions_total",
    "Transactions, by how they ended.",
    ["role", "end"],  # committed, aborted
    registry=REGISTRY,
)
ISOLATIONS = Counter(
    # Rises: records arrive that cannot be handled; see the dead letters with reason unprocessable.
    "careline_processor_isolations_total",
    "Transactions repeated item by item because an item in them failed.",
    ["role"],
    registry=REGISTRY,
)
TRANSACTION_SECONDS = Histogram(
    "careline_processor_transaction_seconds",
    "Time from handling the first record of a transaction to its commit.",
    ["role"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
EVENT_TO_COMMIT_SECONDS = Histogram(
    # The promise to the customer: a rising p99 means that letters leave late.
    "careline_processor_event_to_commit_seconds",
    "Time from an event's publication (its ce_publishedat header, else the broker's time) to its effects' commit.",
    ["role"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
LAG_RECORDS = Gauge(
    # Rises steadily: more records arrive than are handled; add workers, up to the number of partitions.
    "careline_processor_lag_records",
    "Input records not handled yet.",
    ["role", "partition"],
    registry=REGISTRY,
)
LAG_SECONDS = Gauge(
    "careline_processor_lag_seconds",
    "Age of the oldest input record not handled yet; 0 if there is none.",
    ["role", "partition"],
    registry=REGISTRY,
)
KEYS = Gauge(
    "careline_processor_keys",
    "Keys with state in memory.",
    ["role", "partition"],
    registry=REGISTRY,
)
STATE_BYTES = Gauge(
    "careline_processor_state_bytes",
    "Encoded state in memory, in bytes.",
    ["role", "partition"],
    registry=REGISTRY,
)
TIMERS_FIRED = Counter("careline_processor_timers_fired_total", "Deadlines fired.", ["role"], registry=REGISTRY)
RECOVERIES = Counter(
    # More than deployments and rebalances explain: transactions fail; see the aborted ones.
    "careline_processor_recoveries_total",
    "How often a partition was taken over and its state rebuilt.",
    ["role"],
    registry=REGISTRY,
)
RECOVERY_SECONDS = Histogram(
    "careline_processor_recovery_seconds",
    "Time from taking over a partition to its first poll.",
    ["role"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=REGISTRY,
)
PARTITIONS_OWNED = Gauge(
    "careline_processor_partitions_owned", "Partitions this worker is processing.", ["role"], registry=REGISTRY
)
PARTITIONS_STOPPED = Gauge(
    # Above zero: page somebody, and look at the dead letters.
    "careline_processor_partitions_stopped",
    "Partitions that stopped because most records were unreadable.",
    ["role"],
    registry=REGISTRY,
)
EFFECTS_IN_FLIGHT = Gauge(
    "careline_processor_effects_in_flight", "Side effects in flight.", ["role"], registry=REGISTRY
)

# -- every reader ------------------------------------------------------------------------------------------------------
DEAD_LETTERS = Counter(
    # Rises at all: somebody publishes records that cannot be read; `careline dlq list` shows which and from where.
    "careline_dead_letters_total",
    "Records written to the dead-letter topic.",
    ["role", "reason"],
    registry=REGISTRY,
)

# -- care --------------------------------------------------------------------------------------------------------------
DECISIONS = Counter(
    # SUPPRESS rises against SEND: a frequency cap, consent or quiet hours stop what a policy wants.
    "careline_decisions_total",
    "Decisions, by policy, kind and reason.",
    ["policy", "kind", "reason"],
    registry=REGISTRY,
)
UNKNOWN_ZONES = Counter(
    # Rises: a service that does not use our publisher writes unknown zone names, and letters are held.
    "careline_unknown_time_zones_total",
    "Touchpoints with an unknown time zone, which is stored as written.",
    ["record"],
    registry=REGISTRY,
)
PLAYBOOK_RELOADS = Counter(
    # refused rises: somebody saved a file with mistakes, which is not in force; the log has every mistake.
    "careline_playbook_reloads_total",
    "Changes of the playbook file, by result.",
    ["result"],  # taken, refused
    registry=REGISTRY,
)
PLAYBOOK = Gauge(
    # Workers show different versions for longer than a reload takes: they do not read the same file.
    "careline_playbook_info",
    "1, labelled with the version of the playbook in force.",
    ["version"],
    registry=REGISTRY,
)
OUTCOMES = Counter(
    # failed or uncertain rises: a provider has trouble.
    "careline_outreach_outcomes_total",
    "Calls to providers, by channel and outcome.",
    ["channel", "outcome"],
    registry=REGISTRY,
)
PROVIDER_SECONDS = Histogram(
    "careline_outreach_provider_seconds",
    "Duration of a call to a provider.",
    ["provider"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
CIRCUITS_OPEN = Gauge(
    # Above zero: letters to it wait, or take the customer's next address. For webhooks, the number of hosts.
    "careline_outreach_circuits_open",
    "Open circuits: after several failures in a row, a provider is not called during a pause.",
    ["provider"],
    registry=REGISTRY,
)

# -- HTTP ports --------------------------------------------------------------------------------------------------------
CONNECTIONS_CLOSED = Counter(
    # Rises: somebody opens connections and sends nothing, or more callers come than are provided for (refused).
    "careline_http_connections_closed_total",
    "Connections closed because there were too many: idle ones that made room, and refused new ones.",
    ["why"],  # made_room, refused
    registry=REGISTRY,
)

# -- gateway -----------------------------------------------------------------------------------------------------------
GATEWAY_CALLS = Counter(
    # 401 or 400 rises: a provider signs or reports incorrectly; 404: broken links; 503: the brokers are unavailable.
    "careline_gateway_calls_total",
    "Calls that report an outcome or unsubscribe, by response status.",
    ["kind", "status"],  # outcome, unsubscribe
    registry=REGISTRY,
)

# -- view and measure --------------------------------------------------------------------------------------------------
VIEW_RECORDS = Counter(
    "careline_view_records_total", "Records projected to Redis, by topic.", ["topic"], registry=REGISTRY
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
    ["topic", "reason"],
    registry=REGISTRY,
)
VIEW_LAG_RECORDS = Gauge("careline_view_lag_records", "Records not projected yet.", ["topic"], registry=REGISTRY)
MEASURE_RECORDS = Counter(
    "careline_measure_records_total", "Facts counted by the measurements, by record.", ["record"], registry=REGISTRY
)
MEASURE_SKIPPED = Counter(
    # Rises with careline_dead_letters_total: the same records, which the journeys role writes to the dead-letter topic.
    "careline_measure_skipped_total",
    "Records the measurements leave out: unreadable, against the contract, or failing there (unprocessable).",
    ["topic", "reason"],
    registry=REGISTRY,
)
MEASURE_LETTERS = Gauge("careline_measure_letters", "Letters by policy, all hours.", ["policy"], registry=REGISTRY)
# Grows as customers redeem what we gave them. Flat despite many letters: the gesture is not worth its cost.
MEASURE_REDEEMED = Gauge("careline_measure_redeemed", "Gestures redeemed, by policy.", ["policy"], registry=REGISTRY)
MEASURE_SATISFACTION = Gauge(
    "careline_measure_satisfaction_mean",
    "Mean CSAT (1 to 5) of customers written to and of others.",
    ["group"],  # written_to, not_written_to
    registry=REGISTRY,
)
MEASURE_SATISFACTION_BOUND = Gauge(
    # Far apart: too few answers to say anything; the bounds of the two groups overlap: no difference is shown.
    "careline_measure_satisfaction_bound",
    "Bounds of the 95 % interval of the mean CSAT.",
    ["group", "bound"],  # low, high
    registry=REGISTRY,
)
MEASURE_ANSWERS = Gauge(
    "careline_measure_satisfaction_answers",
    "CSAT answers behind the mean.",
    ["group"],
    registry=REGISTRY,
)
