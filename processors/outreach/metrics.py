"""The metrics of the outreach role. Each with what a change means."""

from __future__ import annotations

from streams.events import FailureReason, OutreachChannel
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
OLDEST_OVERDUE.set_function(lambda: None)  # only a worker of outreach shows it
DUE_TO_SENT_SECONDS = Histogram(
    # The second objective: what is above ten seconds has come late. Letters that never leave are not in it; see
    # careline_outreach_oldest_overdue_seconds.
    "careline_outreach_due_to_sent_seconds",
    "Time from when a letter might first leave, after its quiet hours, to its provider's acceptance.",
    {"channel": Closed.of(OutreachChannel)},
    buckets=LATENCY,
    registry=REGISTRY,
)
EVENT_TO_LETTER_SECONDS = Histogram(
    # How long a customer waits for us in all. What rises with it says where: the one above, or the journeys role's
    # careline_processor_event_to_commit_seconds.
    "careline_outreach_event_to_letter_seconds",
    "Time from a touchpoint's publication to a provider's acceptance of its letter, if nothing held that.",
    {"channel": Closed.of(OutreachChannel)},
    buckets=LATENCY,
    registry=REGISTRY,
)
PROVIDER_ERRORS = Counter(
    # try_later or ambiguous rises: the provider has trouble, and its circuit opens. refused: bad addresses, or it
    # blocks us. rate_limited: more letters than its rate lets through.
    "careline_outreach_provider_errors_total",
    "Letters that a provider did not take when it was their turn, by reason.",
    {
        "provider": PROVIDERS,
        "reason": Closed("refused", "try_later", "ambiguous", "rate_limited", "circuit_open"),
    },
    registry=REGISTRY,
)
FAILURES = Counter(
    # EXPIRED rises: letters wait too long. TEMPLATE: a letter cannot be written, which is our fault. REJECTED: bad
    # addresses.
    "careline_outreach_failures_total",
    "Letters that were not sent and never will be, by reason.",
    {"channel": Closed.of(OutreachChannel), "reason": Closed.of(FailureReason)},
    registry=REGISTRY,
)
