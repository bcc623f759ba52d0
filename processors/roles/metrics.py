"""The metrics of every role, of the servers that it uses, of the journeys role, and of the playbook. Each with what a
change means."""

from __future__ import annotations

from streams.events import DecisionKind, Engagement, OutreachChannel, Purpose
from streams.instruments import Counter, Gauge
from streams.labels import AtMost, Closed
from streams.metrics import POLICIES, RECORDS, REGISTRY, ROLES

SERVERS = Closed("kafka", "registry", "redis", "mail")
"""As :mod:`processors.roles.servers` names them."""

BUILD_INFO = Gauge(
    # Workers show different versions for longer than a deployment takes: it got stuck.
    "careline_build_info",
    "1, labelled with the version of Careline and of Python.",
    {"version": AtMost(2), "python": AtMost(2)},
    registry=REGISTRY,
)
CLOCK = Gauge(
    # Differs from Prometheus's own time by more than a scrape takes: deadlines fire at wrong times.
    "careline_clock_seconds",
    "The worker's wall clock when it was scraped, in seconds since 1970.",
    registry=REGISTRY,
)
ROLE_READY = Gauge(
    # 0 for longer than a start takes: the role does not do its job; /readyz says what it waits for.
    "careline_role_ready",
    "1 if the role does its job, 0 if it waits for something.",
    {"role": ROLES},
    registry=REGISTRY,
)
ROLE_LIVE = Gauge(
    # 0: something will not recover by itself; /livez says what.
    "careline_role_live",
    "1 if the role can recover by itself, 0 if it has to be restarted.",
    {"role": ROLES},
    registry=REGISTRY,
)
_LEVELS = ("warning", "error")
LOG_MESSAGES = Counter(
    # Errors rise: read the log; the alerts say what it means for customers.
    "careline_log_messages_total",
    "Lines of the log that are warnings or errors.",
    {"level": Closed(*_LEVELS)},
    registry=REGISTRY,
)
for _level in _LEVELS:
    LOG_MESSAGES.labels(level=_level)  # 0 from the start: no warning yet is a figure, and the first one is growth
TOUCHPOINTS = Counter(
    # A type falls to zero while others come: the service that publishes it has stopped. All fall: see the lag.
    "careline_touchpoints_total",
    "Touchpoints that changed a customer's journey, by type; repeated ones are not counted again.",
    {"record": RECORDS},
    registry=REGISTRY,
)
CONSENT_CHANGES = Counter(
    # withdrawn, unsubscribed or complained rises against the letters sent: customers find that we write too much.
    "careline_consent_changes_total",
    "Changes of consent that customers made, by purpose (all: every purpose on that channel).",
    {
        "purpose": Closed(*Purpose, "all"),
        "change": Closed("granted", "withdrawn", "unsubscribed", "complained"),
    },
    registry=REGISTRY,
)
OUTCOMES_REPORTED = Counter(
    # COMPLAINED above 0.3 % of DELIVERED: mailbox providers begin to refuse our mail. BOUNCED rises: bad addresses.
    "careline_outcomes_reported_total",
    "Reports on letters that customers received, by channel; each report once.",
    {"channel": Closed.of(OutreachChannel), "kind": Closed(*Engagement, "BOUNCED")},
    registry=REGISTRY,
)
DECISIONS = Counter(
    # SUPPRESS rises against SEND: a frequency cap, consent or quiet hours stop what a policy wants.
    "careline_decisions_total",
    "Decisions, by policy, kind and reason.",
    {"policy": POLICIES, "kind": Closed.of(DecisionKind), "reason": AtMost(100)},
    registry=REGISTRY,
)
UNKNOWN_ZONES = Counter(
    # Rises: a service that does not use our publisher writes unknown zone names, and letters are held.
    "careline_unknown_time_zones_total",
    "Touchpoints with an unknown time zone, which is stored as written.",
    {"record": RECORDS},
    registry=REGISTRY,
)
PLAYBOOK_RELOADS = Counter(
    # refused rises: somebody saved a file with mistakes, which is not in force; the log has every mistake.
    "careline_playbook_reloads_total",
    "Changes of the playbook file, by result.",
    {"result": Closed("taken", "refused")},
    registry=REGISTRY,
)
PLAYBOOK_REFUSED = Gauge(
    # 1: somebody saved a file with mistakes, or it cannot be read; the log names each, and until it is mended nothing
    # that was changed in it counts.
    "careline_playbook_refused",
    "1 while the playbook file is not the one in force because it has mistakes.",
    registry=REGISTRY,
)
PLAYBOOK = Gauge(
    # Workers show different versions for longer than a reload takes: they do not read the same file.
    "careline_playbook_info",
    "1, labelled with the version of the playbook in force.",
    {"version": AtMost(2)},
    registry=REGISTRY,
)
DEPENDENCY_UP = Gauge(
    # 0: the server is away for this role; where it is not away for others, it is the network between the two.
    "careline_dependency_up",
    "1 if the server answered when it was last asked, every 5 s, else 0.",
    {"role": ROLES, "dependency": SERVERS},
    registry=REGISTRY,
)
DEPENDENCY_SECONDS = Gauge(
    # Rises: the server or the network is overloaded; at 2 it counts as away.
    "careline_dependency_seconds",
    "How long the server's last answer took.",
    {"role": ROLES, "dependency": SERVERS},
    registry=REGISTRY,
)
CERTIFICATE_EXPIRY = Gauge(
    # Less than two weeks ahead: renew it. With several brokers, the one that ends first.
    "careline_certificate_expiry_timestamp_seconds",
    "When the TLS certificate of a server, or our own, ends, as Unix time; only with TLS.",
    {"role": ROLES, "endpoint": Closed(*SERVERS.values, "client")},
    registry=REGISTRY,
)
