"""Documents as Redis stores them: deflated with a dictionary of the text they have in common, half of each document.

A packed value begins with the number of its dictionary, a byte with which no text begins. Any other value is plain
text: from an earlier version, or too short to gain anything. A dictionary never changes; a better one has a new number.
"""

from __future__ import annotations

import zlib
from importlib import resources

_MARK = b"\x01"
_SHORTEST = 64
"""Redis stores shorter values without overhead, in one block with their neighbours."""
_WINDOW = -13
"""Raw deflate; its window of 8 KB holds the dictionary, and a larger one gains nothing and takes twice the time."""
_DICTIONARY = resources.files(__package__).joinpath("dictionary-1.txt").read_bytes()
_EMPTY = zlib.compressobj(6, zlib.DEFLATED, _WINDOW, 6, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)


def pack(text: str) -> bytes:
    """The text as it is stored; the same bytes for the same text. Raises UnicodeEncodeError for a lone surrogate."""
    raw = text.encode()
    looks_packed = raw.startswith(_MARK)
    if len(raw) < _SHORTEST and not looks_packed:
        return raw
    deflating = _EMPTY.copy()  # has the dictionary loaded already
    packed = _MARK + deflating.compress(raw) + deflating.flush()
    return packed if looks_packed or len(packed) < len(raw) else raw


def unpack(kept: str | bytes) -> str:
    """The text of a stored value, packed or plain. A ``str`` has each byte that is not UTF-8 as a surrogate escape.

    A value that cannot be unpacked, such as one with a newer dictionary, is returned unchanged: its reader reports it.
    """
    raw = kept if isinstance(kept, bytes) else kept.encode("utf-8", "surrogateescape")
    if raw.startswith(_MARK):
        try:
            return zlib.decompressobj(_WINDOW, _DICTIONARY).decompress(raw[1:]).decode()
        except (zlib.error, UnicodeDecodeError):
            pass
    return raw.decode("utf-8", "replace")
