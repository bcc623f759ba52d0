"""What the journeys role counts of a committed transaction: touchpoints, the customers' word on consent, reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

from processors.roles import metrics
from streams.events import (
    ConsentChanged,
    ConsentStatus,
    Decision,
    Engagement,
    FailureReason,
    OutreachEngaged,
    OutreachFailed,
    Purpose,
    Record,
    Touchpoint,
)
from streams.processor import Send
from streams.zones import zone_named

ALL = "all"
"""The purpose of a no that names none: no letter of any purpose goes to that channel."""

BOUNCED = "BOUNCED"

_SAYS = frozenset({ConsentChanged, OutreachEngaged, OutreachFailed})
_ZONED = frozenset(kind for kind in get_args(Touchpoint) if "time_zone" in kind.__struct_fields__)
_REFUSALS = {Engagement.UNSUBSCRIBED: "unsubscribed", Engagement.COMPLAINED: "complained"}


def count(taken: Sequence[Record], sent: Sequence[Send]) -> None:
    """Count a committed transaction: the touchpoints that changed a journey, and the decisions."""
    kinds = Counter(map(type, taken))
    for kind, number in kinds.items():
        metrics.TOUCHPOINTS.labels(record=kind.__name__).inc(number)
    if not _SAYS.isdisjoint(kinds):
        for record in taken:
            if type(record) in _SAYS:
                _count_said(record)
    if not _ZONED.isdisjoint(kinds):
        for record in taken:
            if type(record) in _ZONED:
                _count_zone(record)
    decisions = Counter((it.policy, it.kind, it.reason) for send in sent if type(it := send.record) is Decision)
    for (policy, decided, reason), number in decisions.items():
        metrics.DECISIONS.labels(policy=policy, kind=decided, reason=reason).inc(number)


def _count_said(record: Record) -> None:
    match record:
        case ConsentChanged(purpose=purpose, status=status):
            change = "granted" if status is ConsentStatus.GRANTED else "withdrawn"
            metrics.CONSENT_CHANGES.labels(purpose=purpose, change=change).inc()
        case OutreachEngaged(channel=channel, kind=kind, detail=detail):
            metrics.OUTCOMES_REPORTED.labels(channel=channel, kind=kind).inc()
            if kind in _REFUSALS:
                # as the fold takes it: whoever unsubscribes from offers still hears that their flight is late
                offers = kind is Engagement.UNSUBSCRIBED and detail == Purpose.MARKETING
                ended = Purpose.MARKETING if offers else ALL
                metrics.CONSENT_CHANGES.labels(purpose=ended, change=_REFUSALS[kind]).inc()
        case OutreachFailed(channel=channel, reason=FailureReason.BOUNCED):
            metrics.OUTCOMES_REPORTED.labels(channel=channel, kind=BOUNCED).inc()


def _count_zone(record: Any) -> None:
    if record.time_zone and zone_named(record.time_zone) is None:
        metrics.UNKNOWN_ZONES.labels(record=type(record).__name__).inc()
