"""What happened to one thing: each beginning, answer and end with its time, in the order they occurred.

From this everything about the thing is worked out anew with each fact, so that a fact that comes late falls into its
place. Seven bytes an entry: six of its time in milliseconds, one that says what it was; so entries sort as they
occurred, and at the same moment a beginning comes first and an end last.
"""

from __future__ import annotations

import struct
from datetime import datetime

from streams.clock import from_millis, to_millis
from streams.events import Channel, Resolution

MOST = 32
"""Entries of one thing. Of more, those are left out that follow their like and are followed by their like."""

BEGUN, ANSWERED, ANSWERED_BY_MACHINE, ON_ITS_WAY, GIVEN_UP, ENDED = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50
"""What it was. The lower four bits are for the family to say more."""

DELIVERED = 0x01
"""Of the end of an order: delivered; otherwise called off by the customer. What a company cancels is GIVEN_UP."""

BY_US = 0x01
"""Of an order that was given up: its publisher says that the company did it, not that nobody knows who."""

CHANNELS, RESOLUTIONS = tuple(Channel), tuple(Resolution)
CHANNEL = {channel: at for at, channel in enumerate(CHANNELS)}
RESOLUTION = {resolution: at for at, resolution in enumerate(RESOLUTIONS)}
"""Of a beginning or an answer its channel, of a contact's end its resolution; by place, so that new ones come last."""

NOBODY_WAITS, OF_ITS_ORDER = 0x04, 0x08
"""Of the end of a wait: time alone ended it, as nobody reported any; or its order did."""

_KIND, _DETAIL = 0xF0, 0x0F
_WIDTH = 7

_UNPACKED = struct.Struct(">HIB").iter_unpack

Entry = tuple[int, int, int]
"""When (in milliseconds), what, and the family's detail."""


def entries(history: bytes) -> list[Entry]:
    """In the order they occurred."""
    return [(high << 32 | low, what & _KIND, what & _DETAIL) for high, low, what in _UNPACKED(history)]


def moment(millis: int | None) -> datetime | None:
    """The moment of an entry, where there is one."""
    return None if millis is None else from_millis(millis)


def latest(history: bytes, what: int) -> datetime | None:
    """When it was that last."""
    for at in range(len(history) - _WIDTH, -1, -_WIDTH):
        if history[at + 6] & _KIND == what:
            return from_millis(int.from_bytes(history[at : at + 6], "big"))
    return None


def first(history: bytes, what: int) -> datetime | None:
    """When it was that first."""
    return next((from_millis(millis) for millis, kind, _ in entries(history) if kind == what), None)


def with_entry(history: bytes, at: datetime, what: int, detail: int = 0) -> bytes:
    """The history with one more entry; the same one twice is one."""
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
    """The history without what was so at that moment."""
    millis = max(to_millis(at), 0).to_bytes(6, "big")
    return b"".join(part for part in _parts(history) if part[:6] != millis or part[6] & _KIND != what)


def only(history: bytes, *kinds: int) -> bytes:
    """The entries of these kinds."""
    return b"".join(part for part in _parts(history) if part[6] & _KIND in kinds)


def own(history: bytes) -> bytes:
    """Of a wait's history what is its own, without its order's ends."""
    return b"".join(part for part in _parts(history) if not part[6] & OF_ITS_ORDER)


def of_its_order(history: bytes) -> bytes:
    """The ends in an order's history, as a wait that belongs to it takes them over."""
    return b"".join(
        part[:6] + bytes((part[6] | OF_ITS_ORDER,)) for part in _parts(history) if part[6] & _KIND in (GIVEN_UP, ENDED)
    )


def joined(history: bytes, other: bytes) -> bytes:
    """The entries of both."""
    if not other:
        return history
    together = b"".join(sorted({*_parts(history), *_parts(other)}))
    while len(together) > MOST * _WIDTH:
        together = _shortened(together)
    return together


def _parts(history: bytes) -> list[bytes]:
    return [history[at : at + _WIDTH] for at in range(0, len(history), _WIDTH)]


def _shortened(history: bytes) -> bytes:
    """One entry less: between two of its like one says nothing more; without any such, the oldest."""
    parts = _parts(history)
    for at in range(1, len(parts) - 1):
        if parts[at - 1][6] & _KIND == parts[at][6] & _KIND == parts[at + 1][6] & _KIND:
            return b"".join((*parts[:at], *parts[at + 1 :]))
    return b"".join(parts[1:])
