"""What a touchpoint must be, checked at the caller before it is published and at the reader before it is folded."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from fastavro.schema import expand_schema
from fastavro.validation import validate

import schemas
from streams.codec import parse
from streams.errors import InvalidEvent
from streams.events import DelayNoticed, Touchpoint
from streams.records import NAMES, to_values
from streams.zones import unknown_zone, zone_named

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""An earlier event is a clock at zero or seconds taken for milliseconds."""

AHEAD = timedelta(days=1)
"""How far ahead of its own publication an event may say it occurred; more is a broken clock."""

MAX_CUSTOMER_ID = 256

_parsed: dict[str, Any] = {}


def check_touchpoint(event: Touchpoint, *, now: datetime) -> None:
    """Raises InvalidEvent naming the field. ``now`` is when it was published. Cheap: what every reader checks."""
    if not event.customer_id or event.customer_id.isspace():
        raise InvalidEvent("customer_id", "is empty; it says whose journey this belongs to")
    if len(event.customer_id) > MAX_CUSTOMER_ID:
        raise InvalidEvent("customer_id", f"is longer than {MAX_CUSTOMER_ID} characters")
    if not event.event_id:
        raise InvalidEvent("event_id", "is empty; it is how a repeated event is recognised")
    if event.occurred_at < EARLIEST:
        raise InvalidEvent(
            "occurred_at", f"{event.occurred_at.isoformat()} is before {EARLIEST.date()}; seconds for milliseconds?"
        )
    if event.occurred_at > now + AHEAD:
        raise InvalidEvent("occurred_at", f"{event.occurred_at.isoformat()} is more than a day ahead of {now}")
    if isinstance(event, DelayNoticed) and event.promised_at < EARLIEST:
        raise InvalidEvent(
            "promised_at", f"{event.promised_at.isoformat()} is before {EARLIEST.date()}; seconds for milliseconds?"
        )


def check_outgoing(event: Touchpoint, *, now: datetime) -> None:
    """All that :func:`check_touchpoint` checks, and every field against its schema; for the publisher's side.

    Raises InvalidEvent naming the field.
    """
    name = _name(event)
    for field in event.__struct_fields__:
        value = getattr(event, field)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise InvalidEvent(field, "has no time zone; use an aware UTC datetime")
    if name not in _parsed:
        _parsed[name] = parse(schemas.latest(name))
    values = to_values(event)
    try:
        validate(values, _parsed[name], raise_errors=True, disable_tuple_notation=True)  # type: ignore[call-arg]
    except Exception as error:  # besides its own, whatever a value that is far off makes the check trip over
        _blame(name, values, error)
    try:
        uuid.UUID(event.event_id)
    except ValueError as error:
        raise InvalidEvent("event_id", f"{event.event_id!r} is not a UUID") from error
    check_touchpoint(event, now=now)
    zone = getattr(event, "time_zone", None)
    if zone and zone_named(zone) is None:
        raise InvalidEvent("time_zone", unknown_zone(zone))


def _blame(name: str, values: dict[str, Any], error: Exception) -> NoReturn:
    """Raises InvalidEvent for the first field that does not fit by itself."""
    expanded: Any = expand_schema(parse(schemas.latest(name)))
    for field in expanded["fields"]:
        value = values[field["name"]]
        try:
            fits = validate(value, field["type"], raise_errors=False, disable_tuple_notation=True)  # type: ignore[call-arg]
            fault = f"{value!r} is not {_wanted(field['type'])}"
        except Exception as tripped:
            fits, fault = False, f"{value!r} is not {_wanted(field['type'])}: {tripped}"
        if not fits:
            raise InvalidEvent(field["name"], fault) from error
    raise InvalidEvent(name, f"does not fit its schema: {error}") from error


def _name(event: Any) -> str:
    name = NAMES.get(type(event))
    if name is None or name.split(".")[1] not in ("touchpoint", "outcome"):
        raise InvalidEvent(type(event).__name__, "is no touchpoint; see streams.events.Touchpoint")
    return name


def _wanted(schema: Any) -> str:
    if isinstance(schema, dict):
        return str(schema.get("logicalType") or schema.get("name") or schema.get("type"))
    if isinstance(schema, list):
        return " or ".join(_wanted(part) for part in schema)
    return str(schema)
