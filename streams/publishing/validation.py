"""Validation of touchpoints: at the caller before they are published, and at the reader before they are folded."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, NoReturn

import msgspec
from fastavro.schema import expand_schema
from fastavro.validation import validate

import schemas
from schemas.shown import short
from streams.avro.codec import as_written, parse
from streams.avro.generated import field_of
from streams.avro.records import AS_THEY_ARE, NAMES, to_values
from streams.errors import InvalidEvent
from streams.events import FeedbackGiven, Touchpoint
from streams.events.moments import EARLIEST, PLAUSIBLE, wrong_moments
from streams.events.scores import SCALES, on_its_scale
from streams.zones import unknown_zone, zone_named

AHEAD = timedelta(days=1)
"""How far ``occurred_at`` may be ahead of the time of publication; anything more is a wrong clock."""

MAX_CUSTOMER_ID = 256

_parsed: dict[str, Any] = {}


def check_touchpoint(event: Touchpoint, *, now: datetime) -> None:
    """The cheap checks, which every reader makes. ``now`` is when the event was published.

    Raises InvalidEvent naming the field.
    """
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
    if event.occurred_at - now > AHEAD:  # a difference does not overflow at the ends of the calendar
        raise InvalidEvent("occurred_at", f"{event.occurred_at.isoformat()} is more than a day ahead of {now}")
    for field, moment in wrong_moments(event, event.occurred_at):
        raise InvalidEvent(field, _why_wrong(moment))
    if isinstance(event, FeedbackGiven) and not on_its_scale(event.kind, event.score):
        lowest, highest = SCALES[event.kind]
        raise InvalidEvent("score", f"{event.score} is not a {event.kind} score, which is from {lowest} to {highest}")


def check_outgoing(event: Touchpoint, *, now: datetime) -> None:
    """Everything that :func:`check_touchpoint` checks, and every field against its schema. The publisher calls it.

    Raises InvalidEvent naming the field.
    """
    name = _name(event)
    for field in event.__struct_fields__:
        value = getattr(event, field)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise InvalidEvent(field, "has no time zone; use an aware UTC datetime")
    if name not in _parsed:
        _parsed[name] = parse(schemas.latest(name))
    try:
        values = to_values(event)
        validate(values, _parsed[name], raise_errors=True, disable_tuple_notation=True)  # type: ignore[call-arg]
    except Exception as error:  # not only ValidationError: a value of a wrong type can make the check itself fail
        _blame(name, event, error)
    try:
        as_written(event)
    except Exception as error:  # whatever cannot be written, such as invalid text or an amount with too many digits
        raise InvalidEvent(field_of(error) or name, f"cannot be written: {str(error)[:200]}") from error
    try:
        uuid.UUID(event.event_id)
    except ValueError as error:
        raise InvalidEvent("event_id", f"{short(event.event_id)} is not a UUID") from error
    check_touchpoint(event, now=now)
    zone = getattr(event, "time_zone", None)
    if zone and zone_named(zone) is None:
        raise InvalidEvent("time_zone", unknown_zone(zone))


def _why_wrong(moment: datetime) -> str:
    if moment < EARLIEST:
        return f"{moment.isoformat()} is before {EARLIEST.date()}; seconds for milliseconds?"
    years = round(PLAUSIBLE / timedelta(days=365.25))
    return f"{moment.isoformat()} is more than {years} years from when it occurred; a placeholder for an unknown date?"


def _blame(name: str, event: Any, error: Exception) -> NoReturn:
    """Raises InvalidEvent for the first field that does not fit its own schema, or else for the whole record."""
    expanded: Any = expand_schema(parse(schemas.latest(name)))
    for field in expanded["fields"]:
        value = getattr(event, field["name"])
        try:
            plain = msgspec.to_builtins(value, builtin_types=AS_THEY_ARE)
            fits = validate(plain, field["type"], raise_errors=False, disable_tuple_notation=True)  # type: ignore[call-arg]
            fault = f"{short(value)} is not {_wanted(field['type'])}"
        except Exception as tripped:
            fits, fault = False, f"{short(value)} is not {_wanted(field['type'])}: {short(str(tripped))}"
        if not fits:
            raise InvalidEvent(field["name"], fault) from error
    raise InvalidEvent(name, f"does not fit its schema: {short(str(error))}") from error


def _name(event: Any) -> str:
    name = NAMES.get(type(event))
    if name is None or name.split(".")[1] not in ("touchpoint", "outcome"):
        raise InvalidEvent(type(event).__name__, "is not a touchpoint; see streams.events.Touchpoint")
    return name


def _wanted(schema: Any) -> str:
    if isinstance(schema, dict):
        return str(schema.get("logicalType") or schema.get("name") or schema.get("type"))
    if isinstance(schema, list):
        return " or ".join(_wanted(part) for part in schema)
    return str(schema)
