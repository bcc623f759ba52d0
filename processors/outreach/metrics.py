"""The metrics of the outreach role. Each with what a change means."""

from __future__ import annotations

from streams.events import OutreachChannel
from streams.instruments import Counter, Gauge, Histogram
from streams.labels import AtMost, Closed
from streams.metrics import LATENCY, REGISTRY

PROVIDERS = AtMost(30)

OUTCOMES = Counter(
    # failed or uncertain rises: a provider has trouble.
    "careline_outreach_outcomes_total",
    "Calls to providers, by channel and outcome.",
    {"channel": Closed.of(OutreachChannel), "outcome": Closed("sent", "postponed", "withheld", "failed", "uncertain")},
    registry=REGISTRY,
)
PROVIDER_SECONDS = Histogram(
    "careline_outreach_provider_seconds",
    "Duration of a call to a provider.",
    {"provider": PROVIDERS},
    buckets=LATENCY,
    registry=REGISTRY,
)
CIRCUITS_OPEN = Gauge(
    # Above zero: letters to it wait, or take the customer's next address. For webhooks, the number of hosts.
    "careline_outreach_circuits_open",
    "Open circuits: after several failures in a row, a provider is not called during a pause.",
    {"provider": PROVIDERS},
    registry=REGISTRY,
)
WAITING = Gauge(
    # retry or in_doubt grows: a provider has trouble. its_turn grows: more is asked for than this worker hands over.
    # quiet_hours falls in the morning.
    "careline_outreach_waiting",
    "Outreach that is not ended, by what it waits for.",
    {"reason": Closed("its_turn", "not_yet", "quiet_hours", "retry", "in_doubt", "calling")},
    registry=REGISTRY,
)
OLDEST_OVERDUE = Gauge(
    # Rises steadily: somebody waits for a letter that should have left; careline_outreach_waiting says for what.
    "careline_outreach_oldest_overdue_seconds",
    "How long the oldest waiting letter might have left already, its quiet hours aside; 0 if none waits.",
    registry=REGISTRY,
)
