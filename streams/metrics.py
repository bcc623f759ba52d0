"""The metrics of publishers and of every reader, and what labels may say. Each is named as Prometheus names them, with
what a change means. Those of the processor and of the roles stand in their packages; :mod:`processors.metrics` has all.

Labels never contain a customer, an event or an address.
"""

from __future__ import annotations

from typing import get_args

from prometheus_client import CollectorRegistry

from streams.events import Record
from streams.instruments import Counter
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

# -- every reader ------------------------------------------------------------------------------------------------------
DEAD_LETTERS = Counter(
    # Rises at all: somebody publishes records that cannot be read; `careline dlq list` shows which and from where.
    "careline_dead_letters_total",
    "Records written to the dead-letter topic.",
    {"role": ROLES, "reason": REASONS},
    registry=REGISTRY,
)
CONTRACT_VIOLATIONS = Counter(
    # Rises: the service that the source names publishes what nobody can take; its people have to mend it.
    "careline_contract_violations_total",
    "Dead letters that break the contract, by who published them (ce_source header, else unknown).",
    {"role": ROLES, "source": SOURCES, "reason": REASONS},
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
