"""What a log may say of an exception: its kind, and its words only where they are about servers and settings.

The words of any other exception may quote a record, a letter or an address.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from types import TracebackType

from aiokafka.errors import KafkaError

from streams.errors import (
    IncompatibleSchema,
    InvalidEvent,
    OutputTooLarge,
    PartitionLost,
    PartitionStopped,
    RefusedByServer,
    SchemaNotRegistered,
    SettingsError,
    Unavailable,
    Unreadable,
)

_ABOUT_SERVERS = (
    IncompatibleSchema,
    KafkaError,
    OutputTooLarge,
    PartitionLost,
    PartitionStopped,
    RefusedByServer,
    SchemaNotRegistered,
    SettingsError,
    Unavailable,
)
_MOST = 500
_MOST_CAUSES = 8
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=]+@[^\s<>\"'(),;:=]+|(?<![\w./:-])\+?\d[\d ()-]{7,}\d(?![\w.:/-])")


def without_addresses(text: str) -> str:
    """The text with every e-mail address and telephone number as ``...``: what none of our own words has anyway."""
    return _ADDRESS.sub("...", text)


def told(error: BaseException) -> str:
    """One line about the exception."""
    name = type(error).__name__
    if isinstance(error, Unreadable):
        return f"{name}: {error.reason}"
    if isinstance(error, InvalidEvent):
        return f"{name}: {error.field}"
    if isinstance(error, _ABOUT_SERVERS):
        words = without_addresses(str(error))[:_MOST]
        return f"{name}: {words}" if words else name
    if isinstance(error, OSError) and type(error).__module__ in ("builtins", "socket", "ssl") and error.strerror:
        return f"{name}: {error.strerror}"
    return name


def told_at_length(error: BaseException) -> str:
    """The exception and what caused it, with the lines of code that they came through."""
    return "\n".join(line for one in _chain(error) for line in _lines(one))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The causes first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found and len(found) < _MOST_CAUSES:
        found.append(one)
        one = one.__cause__ if one.__cause__ is not None or one.__suppress_context__ else one.__context__
    yield from reversed(found)


def _lines(error: BaseException) -> Iterator[str]:
    trace: TracebackType | None = error.__traceback__
    if trace is not None:
        yield "Traceback (most recent call last):"
    for frame in traceback.extract_tb(trace):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        if frame.line:
            yield f"    {frame.line}"
    yield told(error)
    if isinstance(error, BaseExceptionGroup):
        yield from (f"  | {told(one)}" for one in error.exceptions[:_MOST_CAUSES])
