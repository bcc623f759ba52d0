"""The metric catalogue: every metric of every role, in Prometheus's naming, each with what a change of it means.

Labels never hold a customer, an event or an address.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.175, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)

# -- publisher ---------------------------------------------------------------------------------------------------------
EVENTS_PUBLISHED = Counter(
    # Falls to zero while services run: they cannot reach the broker, look at publish errors.
    "careline_events_published_total",
    "Events acknowledged by the broker.",
    ["record"],
    registry=REGISTRY,
)
EVENTS_REFUSED = Counter(
    # Rises: a publishing service builds events that break the contract; its log names the field.
    "careline_events_refused_total",
    "Events refused at the caller because they break the contract.",
    ["record"],
    registry=REGISTRY,
)

# -- transactional processor -------------------------------------------------------------------------------------------
RECORDS_PROCESSED = Counter(
    # Flat with lag above zero: the partition is stuck or stopped.
    "careline_processor_records_total",
    "Input records whose effects were committed, by how each was handled.",
    ["role", "handling"],  # folded, duplicate, dead_letter, forwarded
    registry=REGISTRY,
)
RECORDS_SENT = Counter(
    "careline_processor_sent_total",
    "Records committed to an output topic.",
    ["role", "topic"],
    registry=REGISTRY,
)
TRANSACTIONS = Counter(
    # aborted rising: brokers unavailable, or two workers fight over a partition.
    "careline_processor_transactions_total",
    "Transactions by how they ended.",
    ["role", "end"],  # committed, aborted
    registry=REGISTRY,
)
ISOLATIONS = Counter(
    # Rises: records come that could not be handled; see the dead letters with reason unprocessable.
    "careline_processor_isolations_total",
    "Transactions that were made again item by item, because something in them failed.",
    ["role"],
    registry=REGISTRY,
)
TRANSACTION_SECONDS = Histogram(
    "careline_processor_transaction_seconds",
    "From the first record of a transaction being handled to its commit.",
    ["role"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
EVENT_TO_COMMIT_SECONDS = Histogram(
    # The promise to the customer: rising p99 means that letters leave late.
    "careline_processor_event_to_commit_seconds",
    "From an event's publication (its ce_publishedat header, else the broker's time) to the commit of what it led to.",
    ["role"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
LAG_RECORDS = Gauge(
    # Rising steadily: more arrives than is handled; add workers up to the number of partitions.
    "careline_processor_lag_records",
    "Input records not yet handled.",
    ["role", "partition"],
    registry=REGISTRY,
)
LAG_SECONDS = Gauge(
    "careline_processor_lag_seconds",
    "Age of the oldest input record that is not handled yet, 0 where there is none.",
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
    "Encoded state in memory.",
    ["role", "partition"],
    registry=REGISTRY,
)
TIMERS_FIRED = Counter("careline_processor_timers_fired_total", "Deadlines that fired.", ["role"], registry=REGISTRY)
RECOVERIES = Counter(
    # More than deployments and rebalances explain: transactions fail; see aborted ones.
    "careline_processor_recoveries_total",
    "Times a partition was taken and its state rebuilt.",
    ["role"],
    registry=REGISTRY,
)
RECOVERY_SECONDS = Histogram(
    "careline_processor_recovery_seconds",
    "From taking a partition to its first poll.",
    ["role"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=REGISTRY,
)
PARTITIONS_OWNED = Gauge(
    "careline_processor_partitions_owned", "Partitions that are being worked on.", ["role"], registry=REGISTRY
)
PARTITIONS_STOPPED = Gauge(
    # Above zero: page somebody. Most of what arrived could not be read; see the dead letters.
    "careline_processor_partitions_stopped",
    "Partitions that stopped themselves.",
    ["role"],
    registry=REGISTRY,
)
EFFECTS_IN_FLIGHT = Gauge(
    "careline_processor_effects_in_flight", "Calls to the outside under way.", ["role"], registry=REGISTRY
)

# -- every reader ------------------------------------------------------------------------------------------------------
DEAD_LETTERS = Counter(
    # Any rise: somebody publishes what cannot be read; `careline dlq list` shows what and from where.
    "careline_dead_letters_total",
    "Records put aside because they cannot be read.",
    ["role", "reason"],
    registry=REGISTRY,
)

# -- care --------------------------------------------------------------------------------------------------------------
DECISIONS = Counter(
    # suppress rising against send: a cap, consent or quiet hours hold back what a policy wants.
    "careline_decisions_total",
    "Decisions by policy, kind and reason.",
    ["policy", "kind", "reason"],
    registry=REGISTRY,
)
UNKNOWN_ZONES = Counter(
    # Rises: a service that does not use our publisher writes names of zones that nobody knows, and letters are held.
    "careline_unknown_time_zones_total",
    "Touchpoints with a time zone that is kept as it was written because nobody knows it.",
    ["record"],
    registry=REGISTRY,
)
PLAYBOOK_RELOADS = Counter(
    # refused rising: somebody saved a wrong file; what they meant to change has not changed, the log has every fault.
    "careline_playbook_reloads_total",
    "Changes of the playbook file by what came of them.",
    ["result"],  # taken, refused
    registry=REGISTRY,
)
PLAYBOOK = Gauge(
    # Workers that show different versions for longer than a reload takes do not read the same file.
    "careline_playbook_info",
    "1, with the version of the playbook in force.",
    ["version"],
    registry=REGISTRY,
)
OUTCOMES = Counter(
    # failed or uncertain rising: a provider has trouble.
    "careline_outreach_outcomes_total",
    "What became of outreach, by channel.",
    ["channel", "outcome"],
    registry=REGISTRY,
)
PROVIDER_SECONDS = Histogram(
    "careline_outreach_provider_seconds",
    "Time of one call to a provider.",
    ["provider"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
CIRCUITS_OPEN = Gauge(
    # Above zero: a provider fails, and letters to it wait or take another way; of webhooks so many hosts.
    "careline_outreach_circuits_open",
    "Circuits that are open: the provider failed several times in a row and is left alone for a while.",
    ["provider"],
    registry=REGISTRY,
)

# -- HTTP ports --------------------------------------------------------------------------------------------------------
CONNECTIONS_CLOSED = Counter(
    # Rises: somebody opens connections and says nothing, or more callers come than are provided for (refused).
    "careline_http_connections_closed_total",
    "Connections closed because there were too many: idle ones that made room, and new ones that were refused.",
    ["why"],  # made_room, refused
    registry=REGISTRY,
)

# -- gateway -----------------------------------------------------------------------------------------------------------
GATEWAY_CALLS = Counter(
    # 401 or 400 rising: a provider signs or reports wrongly; 404: broken links; 503: the brokers are away.
    "careline_gateway_calls_total",
    "Calls that report an outcome or unsubscribe, by how they were answered.",
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
    "Times the view was rebuilt from the topics.",
    registry=REGISTRY,
)
VIEW_SKIPPED = Counter(
    # Rises with careline_dead_letters_total: the same records, which the journeys role puts aside.
    "careline_view_skipped_total",
    "Records that the view does not show: they cannot be read, break the contract, or make it fail (unprocessable).",
    ["topic", "reason"],
    registry=REGISTRY,
)
VIEW_LAG_RECORDS = Gauge("careline_view_lag_records", "Records not yet projected.", ["topic"], registry=REGISTRY)
MEASURE_RECORDS = Counter(
    "careline_measure_records_total", "Facts taken into the measurements, by record.", ["record"], registry=REGISTRY
)
MEASURE_SKIPPED = Counter(
    # Rises with careline_dead_letters_total: the same records, which the journeys role puts aside.
    "careline_measure_skipped_total",
    "Records left out of the measurements: they cannot be read, break the contract, or make it fail (unprocessable).",
    ["topic", "reason"],
    registry=REGISTRY,
)
MEASURE_LETTERS = Gauge("careline_measure_letters", "Letters by policy, all hours.", ["policy"], registry=REGISTRY)
# Grows as customers come back with what we gave them; flat beside many letters means the gesture is not worth its cost.
MEASURE_REDEEMED = Gauge("careline_measure_redeemed", "Gestures redeemed, by policy.", ["policy"], registry=REGISTRY)
MEASURE_SATISFACTION = Gauge(
    "careline_measure_satisfaction_mean",
    "Mean CSAT (1 to 5) of those written to and those not.",
    ["group"],  # written_to, not_written_to
    registry=REGISTRY,
)
MEASURE_SATISFACTION_BOUND = Gauge(
    # Wide apart: too few answers to say anything; the two groups' bounds overlapping: no difference is shown.
    "careline_measure_satisfaction_bound",
    "Ends of the 95 % interval of the mean CSAT.",
    ["group", "bound"],  # low, high
    registry=REGISTRY,
)
MEASURE_ANSWERS = Gauge(
    "careline_measure_satisfaction_answers",
    "CSAT answers behind the mean.",
    ["group"],
    registry=REGISTRY,
)
