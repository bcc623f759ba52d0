"""What the journeys role counts of a committed transaction: touchpoints, the customers' word on consent, reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

from processors.roles import metrics
from streams import instruments
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

_ZONED = frozenset(kind for kind in get_args(Touchpoint) if "time_zone" in kind.__struct_fields__)
_READ = _ZONED | {ConsentChanged, OutreachEngaged, OutreachFailed}
"""Types whose content counts; of others it is enough that they came."""
_REFUSALS = {Engagement.UNSUBSCRIBED: "unsubscribed", Engagement.COMPLAINED: "complained"}


def count(taken: Sequence[Record], sent: Sequence[Send]) -> None:
    """Count a committed transaction: the touchpoints that changed a journey, and the decisions. Added up first, as one
    transaction carries up to a thousand of either."""
    kinds = Counter(map(type, taken))
    for kind, number in kinds.items():
        _touchpoints(kind).inc(number)
    if not _READ.isdisjoint(kinds):
        read = [record for record in taken if type(record) in _READ]
        _count_said(read)
        _count_zones([record for record in read if type(record) in _ZONED])
    decisions = Counter([(it.policy, it.kind, it.reason) for send in sent if type(it := send.record) is Decision])
    for (policy, decided, reason), number in decisions.items():
        metrics.DECISIONS.labels(policy=policy, kind=decided, reason=reason).inc(number)


@cache
def _touchpoints(kind: type[Any]) -> instruments.Counter:
    return metrics.TOUCHPOINTS.labels(record=kind.__name__)


def _count_said(records: Sequence[Record]) -> None:
    changes: Counter[tuple[str, str]] = Counter()
    reports: Counter[tuple[str, str]] = Counter()
    for record in records:
        match record:
            case ConsentChanged(purpose=purpose, status=status):
                changes[purpose, "granted" if status is ConsentStatus.GRANTED else "withdrawn"] += 1
            case OutreachEngaged(channel=channel, kind=kind, detail=detail):
                reports[channel, kind] += 1
                if kind in _REFUSALS:
                    # as the fold takes it: whoever unsubscribes from offers still hears that their flight is late
                    offers = kind is Engagement.UNSUBSCRIBED and detail == Purpose.MARKETING
                    changes[Purpose.MARKETING if offers else ALL, _REFUSALS[kind]] += 1
            case OutreachFailed(channel=channel, reason=FailureReason.BOUNCED):
                reports[channel, BOUNCED] += 1
    for labels, number in changes.items():
        metrics.CONSENT_CHANGES.labels(*labels).inc(number)
    for labels, number in reports.items():
        metrics.OUTCOMES_REPORTED.labels(*labels).inc(number)


def _count_zones(records: Sequence[Any]) -> None:
    for record in records:
        if record.time_zone and zone_named(record.time_zone) is None:
            metrics.UNKNOWN_ZONES.labels(record=type(record).__name__).inc()
