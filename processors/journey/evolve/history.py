"""The history of one thing: each beginning, answer and end with its time, in the order they occurred.

The status of a thing is derived anew from its history with each fact, so that a late fact takes its right place. Seven
bytes per entry: six of the time in milliseconds, one of the kind. So entries sort by time, and at the same moment a
beginning comes first and an end last.
"""

from __future__ import annotations

import struct
from datetime import datetime

from streams.clock import from_millis, to_millis
from streams.events import Channel, Resolution

MOST = 32
"""Maximum entries per thing. Beyond it, an entry between two of its own kind is dropped first."""

BEGUN, ANSWERED, ANSWERED_BY_MACHINE, ON_ITS_WAY, GIVEN_UP, ENDED = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50
"""The kind of an entry. The lower four bits hold a detail, whose meaning depends on the kind of thing."""

DELIVERED = 0x01
"""Detail of an order's end: delivered; without it the customer cancelled. A company's cancellation is GIVEN_UP."""

BY_US = 0x01
"""Detail of GIVEN_UP: the publisher says that the company cancelled; without it nobody said who did."""

CHANNELS, RESOLUTIONS = tuple(Channel), tuple(Resolution)
CHANNEL = {channel: at for at, channel in enumerate(CHANNELS)}
RESOLUTION = {resolution: at for at, resolution in enumerate(RESOLUTIONS)}
"""Details: the channel of a beginning or an answer, the resolution of a contact's end. They are positions in the enum,
so new members go last."""

NOBODY_WAITS, OF_ITS_ORDER = 0x04, 0x08
"""Details of a wait's end: it lapsed because nobody reported an end, or it ended with its order."""

_KIND, _DETAIL = 0xF0, 0x0F
_WIDTH = 7

_UNPACKED = struct.Struct(">HIB").iter_unpack

Entry = tuple[int, int, int]
"""Time in milliseconds, kind, and detail."""


def entries(history: bytes) -> list[Entry]:
    """Return the entries in the order they occurred."""
    return [(high << 32 | low, what & _KIND, what & _DETAIL) for high, low, what in _UNPACKED(history)]


def moment(millis: int | None) -> datetime | None:
    """Convert an entry's time to a datetime; None stays None."""
    return None if millis is None else from_millis(millis)


def latest(history: bytes, what: int) -> datetime | None:
    """Return the time of the last entry of that kind, None if there is none."""
    for at in range(len(history) - _WIDTH, -1, -_WIDTH):
        if history[at + 6] & _KIND == what:
            return from_millis(int.from_bytes(history[at : at + 6], "big"))
    return None


def first(history: bytes, what: int) -> datetime | None:
    """Return the time of the first entry of that kind, None if there is none."""
    return next((from_millis(millis) for millis, kind, _ in entries(history) if kind == what), None)


def with_entry(history: bytes, at: datetime, what: int, detail: int = 0) -> bytes:
    """Return the history with one more entry; the same entry twice counts once."""
    entry = max(to_millis(at), 0).to_bytes(6, "big") + bytes((what | detail,))
    if entry > history[-_WIDTH:]:  # nearly always
        history += entry
    else:
        parts = _parts(history)
        if entry in parts:
            return history
        history = b"".join(sorted([*parts, entry]))
    return history if len(history) <= MOST * _WIDTH else _shortened(history)


def without(history: bytes, at: datetime, what: int) -> bytes:
    """Return the history without the entry of that kind at that moment."""
    millis = max(to_millis(at), 0).to_bytes(6, "big")
    return b"".join(part for part in _parts(history) if part[:6] != millis or part[6] & _KIND != what)


def only(history: bytes, *kinds: int) -> bytes:
    """Return the entries of these kinds."""
    return b"".join(part for part in _parts(history) if part[6] & _KIND in kinds)


def own(history: bytes) -> bytes:
    """Return a wait's own entries, without the ends that it took over from its order."""
    return b"".join(part for part in _parts(history) if not part[6] & OF_ITS_ORDER)


def of_its_order(history: bytes) -> bytes:
    """Return the ends in an order's history, marked as a wait takes them over."""
    return b"".join(
        part[:6] + bytes((part[6] | OF_ITS_ORDER,)) for part in _parts(history) if part[6] & _KIND in (GIVEN_UP, ENDED)
    )


def joined(history: bytes, other: bytes) -> bytes:
    """Return the entries of both histories."""
    if not other:
        return history
    together = b"".join(sorted({*_parts(history), *_parts(other)}))
    while len(together) > MOST * _WIDTH:
        together = _shortened(together)
    return together


def _parts(history: bytes) -> list[bytes]:
    return [history[at : at + _WIDTH] for at in range(0, len(history), _WIDTH)]


def _shortened(history: bytes) -> bytes:
    """Drop one entry: one between two of its own kind, which adds nothing; if there is none, the oldest."""
    parts = _parts(history)
    for at in range(1, len(parts) - 1):
        if parts[at - 1][6] & _KIND == parts[at][6] & _KIND == parts[at + 1][6] & _KIND:
            return b"".join((*parts[:at], *parts[at + 1 :]))
    return b"".join(parts[1:])
