"""The metrics of the journeys role, of the playbook that roles go by, and of the servers that a role uses. Each with
what a change means."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from streams.metrics import REGISTRY

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
DEPENDENCY_UP = Gauge(
    # 0: the server is away for this role; where it is not away for others, it is the network between the two.
    "careline_dependency_up",
    "1 if the server answered when it was last asked, every 5 s, else 0.",
    ["role", "dependency"],  # kafka, registry, redis, mail
    registry=REGISTRY,
)
DEPENDENCY_SECONDS = Gauge(
    # Rises: the server or the network is overloaded; at 2 it counts as away.
    "careline_dependency_seconds",
    "How long the server's last answer took.",
    ["role", "dependency"],
    registry=REGISTRY,
)
CERTIFICATE_EXPIRY = Gauge(
    # Less than two weeks ahead: renew it. With several brokers, the one that ends first.
    "careline_certificate_expiry_timestamp_seconds",
    "When the TLS certificate of a server, or our own, ends, as Unix time; only with TLS.",
    ["role", "endpoint"],  # kafka, registry, redis, mail, client
    registry=REGISTRY,
)
