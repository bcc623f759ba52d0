"""The metrics of the journeys role, and of the playbook that roles go by. Each with what a change means."""

from __future__ import annotations

from streams.events import DecisionKind, Engagement, OutreachChannel, Purpose
from streams.instruments import Counter, Gauge
from streams.labels import AtMost, Closed
from streams.metrics import POLICIES, RECORDS, REGISTRY

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
