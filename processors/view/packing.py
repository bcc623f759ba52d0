"""Documents as Redis holds them: deflated with a dictionary of what all of them say, which is half of each.

A packed value begins with the number of its dictionary, which no text does; whatever else is there is text, as it was
kept before or is too short to gain anything. A dictionary never changes: a better one gets a number of its own.
"""

from __future__ import annotations

import zlib
from importlib import resources

_MARK = b"\x01"
_SHORTEST = 64
"""Redis keeps shorter values without overhead, in one piece with their neighbours."""
_WINDOW = -13
"""No header; 8 KB of window, which the dictionary fills: more gains nothing, and takes twice the time."""
_DICTIONARY = resources.files(__package__).joinpath("dictionary-1.txt").read_bytes()
_EMPTY = zlib.compressobj(6, zlib.DEFLATED, _WINDOW, 6, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)


def pack(text: str) -> bytes:
    """The text as it is kept; the same for the same text. Raises UnicodeEncodeError for text that is none."""
    raw = text.encode()
    looks_packed = raw.startswith(_MARK)
    if len(raw) < _SHORTEST and not looks_packed:
        return raw
    deflating = _EMPTY.copy()  # the dictionary is digested already
    packed = _MARK + deflating.compress(raw) + deflating.flush()
    return packed if looks_packed or len(packed) < len(raw) else raw


def unpack(kept: str | bytes) -> str:
    """The text again, of either; ``str`` is what Redis holds with each byte that is no UTF-8 escaped.

    What cannot be unpacked, as one of a newer dictionary, is returned as it is: its reader will say so.
    """
    raw = kept if isinstance(kept, bytes) else kept.encode("utf-8", "surrogateescape")
    if raw.startswith(_MARK):
        try:
            return zlib.decompressobj(_WINDOW, _DICTIONARY).decompress(raw[1:]).decode()
        except (zlib.error, UnicodeDecodeError):
            pass
    return raw.decode("utf-8", "replace")
