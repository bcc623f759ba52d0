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
