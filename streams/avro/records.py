"""Converts typed records to Avro's plain values and back, with one table of all records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, get_args
from uuid import UUID

import msgspec

from streams import events
from streams.topics import Topic

_NAMESPACES = {
    "streams.events.touchpoints": "careline.touchpoint",
    "streams.events.outcomes": "careline.outcome",
    "streams.events.outreach": "careline.outreach",
    "streams.events.journeys": "careline.journey",
}

RECORDS: dict[str, type[Any]] = {
    f"{_NAMESPACES[cls.__module__]}.{cls.__name__}": cls for cls in get_args(events.Record)
}
"""Record class by full Avro name, such as ``careline.touchpoint.DelayNoticed``."""

NAMES: dict[type[Any], str] = {cls: name for name, cls in RECORDS.items()}
"""Full Avro name by record class."""

AS_THEY_ARE = (datetime, Decimal, bytes, date, time, timedelta, UUID, bytearray, memoryview)
"""Classes left unconverted: the first three are how fastavro represents values; no schema has the others, so the
validation refuses them."""


def types_of(topic: Topic) -> frozenset[type[Any]]:
    """The record types that a topic of the contract carries."""
    return frozenset(RECORDS[name] for name in topic.records)


def to_values(record: Any) -> dict[str, Any]:
    """The record as Avro values, nested records as dicts. Raises TypeError for a value that has no Avro form."""
    values: dict[str, Any] = msgspec.to_builtins(record, builtin_types=AS_THEY_ARE)
    return values


def builder_of(cls: type[Any]) -> Callable[[dict[str, Any]], Any]:
    """A function from Avro values to an instance of ``cls``. It raises msgspec.ValidationError if they do not fit."""
    return partial(msgspec.convert, type=cls)
