"""What a line of a role's log may say. A field that is not on the list is left out, and so is a value of another kind.

No field is about a customer: not their id either, which may be an e-mail address or a number that is on a card. What an
operator needs is where a record stands (topic, partition, offset) and the ids of outreach and events, which are ours.
"""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from streams.told import told, told_at_length, without_addresses

NO_NAME = "unnamed_event"
"""Stands for the name of an event that is not a constant of ours."""

_EVENT = re.compile(r"[a-z][a-z0-9_]{1,60}")
_MOST = 1_000


def _number(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else None


def _name(value: Any) -> Any:
    """A name of ours: no space, no @."""
    return str(value) if re.fullmatch(r"[\w.:/*+{}\[\]-]{1,300}", str(value), re.ASCII) else None


def _names(value: Any) -> Any:
    found = [_name(one) for one in value] if isinstance(value, tuple | list) else [None]
    return None if None in found else found


def _id(value: Any) -> Any:
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        return None


def _words(value: Any) -> Any:
    """Words of our own, of the playbook's or of a server."""
    return without_addresses(value)[:_MOST] if isinstance(value, str) else None


def _error(value: Any) -> Any:
    return told(value) if isinstance(value, BaseException) else None


FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "after": _number,
    "at": _name,
    "before": _name,
    "client": _name,
    "error": _error,
    "fault": _words,
    "faults": _number,
    "instance": _name,
    "keys": _number,
    "level": _name,
    "logger": _name,
    "message": _words,
    "method": _name,
    "offset": _number,
    "outreach": _id,
    "partition": _number,
    "path": _words,
    "paths": _names,
    "provider": _name,
    "reason": _name,
    "record": _name,
    "records": _names,
    "role": _name,
    "seconds": _number,
    "server": _name,
    "setting": _name,
    "table": _name,
    "template": _name,
    "time": _name,
    "topic": _name,
    "trace_id": _name,
    "unsubscribe": _number,
    "url": _name,
    "version": _name,
    "why": _words,
}
"""Every field of a line beside ``event`` and ``exception``, and what it may hold."""


def allowed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the event with what is allowed. ``left_out`` names the fields that are not."""
    name = event.pop("event", None)
    found: dict[str, Any] = {"event": name if isinstance(name, str) and _EVENT.fullmatch(name) else NO_NAME}
    left_out = []
    exc_info = event.pop("exc_info", None)
    for field, value in event.items():
        kind = FIELDS.get(field)
        kept = None if kind is None or value is None else kind(value)
        if kept is not None:
            found[field] = kept
        elif value is not None:
            left_out.append(_name(field) or NO_NAME)
    if (error := _exception_of(exc_info)) is not None:
        found["exception"] = told_at_length(error)
    if left_out:
        found["left_out"] = left_out
    return found


def _exception_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None
