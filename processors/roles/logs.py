"""What a role says of itself: one line an entry on standard output, and the warnings of libraries in the same shape.

Every line has ``time`` (UTC), ``level``, ``event`` (a name in lower case), ``role`` and ``instance``; where there is
one, ``trace_id``, ``topic``, ``partition`` and ``offset``. What a line may say is decided in
:mod:`processors.roles.log_fields`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Literal

import structlog

from processors.roles.log_fields import allowed
from processors.roles.standing import count_message
from processors.terminal import clean_event
from streams.tracing import current_trace_id

Format = Literal["auto", "json", "text"]

log = structlog.get_logger()

_FIRST = ("time", "level", "event", "role", "instance", "trace_id", "topic", "partition", "offset")
_WORDS = re.compile(r"[A-Za-z][A-Za-z ,.-]{0,200}")

_SAY: Mapping[str, Callable[[str], str | None]] = {
    "aiokafka": lambda message: message,
    "opentelemetry": lambda message: message,
    # its first line says what happened; the others show a task, with its name and what it failed with
    "asyncio": lambda message: line if _WORDS.fullmatch(line := message.partition("\n")[0]) else None,
}
"""Of which libraries the words are logged. Of any other one only where it spoke, and the kind of its exception:
its words may quote a record or an address."""


def logs_to(level: str, *, role: str, instance: str = "0", form: Format = "auto") -> None:
    """From now on the process logs from ``level`` on: debug, info, warning or error.

    ``form``: ``json`` for a line of JSON an entry, ``text`` for people, ``auto`` for text on a terminal only.
    """
    terminal = sys.__stdout__ is not None and sys.__stdout__.isatty()
    text = form == "text" or (form == "auto" and terminal)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        processors=[
            structlog.processors.add_log_level,
            count_message,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _of(role, instance),
            allowed,
            *(_as_text(colors=terminal) if text else _AS_JSON),
        ],
        logger_factory=lambda *_: _Lines(),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()])
    logging.getLogger("aiokafka").setLevel(logging.ERROR)


def _of(role: str, instance: str) -> structlog.typing.Processor:
    def of(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["role"], event["instance"] = role, instance
        if event.get("trace_id") is None and (trace_id := current_trace_id()) is not None:
            event["trace_id"] = trace_id
        return event

    return of


def _ordered(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    first = {name: event[name] for name in _FIRST if name in event}
    return first | {name: event[name] for name in sorted(event) if name not in first}


_AS_JSON: tuple[structlog.typing.Processor, ...] = (_ordered, structlog.processors.JSONRenderer())


def _as_text(*, colors: bool) -> tuple[structlog.typing.Processor, ...]:
    return (clean_event, structlog.dev.ConsoleRenderer(colors=colors, timestamp_key="time"))


class _Lines:
    """Standard output, each entry by itself. One that cannot be written (the disk is full) is dropped, and the role
    goes on: what it does for customers is worth more than what it says about it."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            os.write(sys.__stdout__.fileno() if sys.__stdout__ is not None else 1, f"{message}\n".encode())

    debug = info = warning = error = critical = exception = msg


class _Libraries(logging.Handler):
    """What libraries log, as entries of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as ``library_message``."""
        say = _SAY.get(record.name.partition(".")[0])
        try:
            message = None if say is None else say(record.getMessage())
        except Exception:  # arguments that do not fit its text
            message = None
        named: dict[str, Any] = {"logger": record.name, "at": f"{record.filename}:{record.lineno}", "message": message}
        if record.exc_info is not None and record.exc_info[1] is not None:
            named["exc_info"] = record.exc_info[1]
        log.log(max(record.levelno, logging.DEBUG), "library_message", **named)
