"""Between the typed records and Avro's plain values: one table of all records, one converter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

import cattrs

from streams import events

_NAMESPACES = {
    "streams.events.touchpoints": "careline.touchpoint",
    "streams.events.outcomes": "careline.outcome",
    "streams.events.outreach": "careline.outreach",
    "streams.events.journeys": "careline.journey",
}

RECORDS: dict[str, type[Any]] = {
    f"{_NAMESPACES[cls.__module__]}.{cls.__name__}": cls for cls in get_args(events.Record)
}
"""Record class by full Avro name, as ``careline.touchpoint.DelayNoticed``."""

NAMES: dict[type[Any], str] = {cls: name for name, cls in RECORDS.items()}
"""Full Avro name by record class."""

_converter = cattrs.Converter(detailed_validation=False)
for _plain in (datetime, Decimal, bytes):
    # Avro's logical types are these classes already
    _converter.register_structure_hook(_plain, lambda value, _: value)
    _converter.register_unstructure_hook(_plain, lambda value: value)


def to_values(record: Any) -> dict[str, Any]:
    """The record as Avro values, nested records as dicts."""
    values: dict[str, Any] = _converter.unstructure(record)
    return values


def builder_of(cls: type[Any]) -> Callable[[dict[str, Any]], Any]:
    """A function from Avro values to an instance of ``cls``."""
    hook = _converter.get_structure_hook(cls)
    return lambda values: hook(values, cls)
