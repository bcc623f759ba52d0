"""Avro's binary encoding of plain values (Avro 1.12, "Binary Encoding"), optimised for the values in our records."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

from schemas.shown import short
from streams.clock import to_millis

Encoder = Callable[[Any], bytes]
"""Encodes a value to bytes."""

Decoder = Callable[[bytes, int], tuple[Any, int]]
"""Decodes the value at a position; returns it and the position after it. Broken bytes raise an IndexError, KeyError,
UnicodeDecodeError or the like. The caller checks that the returned position is within the bytes."""

MOST_WORK = 30_000
"""Limit for the values in all lists and maps of one record that publishers may write. A number or a string counts as
four, because its encoding may be as long as ten bytes."""

MOST_OWN_WORK = 400_000
"""The same limit for records that only our own roles write. A state at all its limits has 130,000."""

_INT, _LONG = 31, 63  # bits of magnitude
_HIGH_BITS = int("80" * 10, 16)
_HALVES = tuple((bits, sum(((1 << 7 * bits) - 1) << at for at in range(0, 128, 16 * bits))) for bits in (1, 2, 4, 8))
_DOUBLE, _FLOAT = struct.Struct("<d"), struct.Struct("<f")
_ONE_BYTE = 64

_SIX_BYTES, _SEVEN_BYTES = 1 << 35, 1 << 42
_SIZES = tuple(bytes((2 * size,)) for size in range(_ONE_BYTE))


def _number(value: int, bits: int) -> bytes:
    if not -(1 << bits) <= value < 1 << bits:
        raise OverflowError(f"{value} does not fit into {bits + 1} bits")
    left = (value << 1) ^ (value >> bits)
    if left < 128:
        return bytes((left,))
    out = bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    out.append(left)
    return bytes(out)


def write_long(value: int) -> bytes:
    """A long. Raises OverflowError beyond 64 bits."""
    return _number(value, _LONG)


def write_count(items: int) -> bytes:
    """The count that precedes a block of ``items`` items of an array."""
    return _SIZES[items] if items < _ONE_BYTE else write_long(items)


def write_int(value: int) -> bytes:
    """An int. Raises OverflowError beyond 32 bits."""
    return _number(value, _INT)


@lru_cache(maxsize=65_536)  # each update of a wait writes the same times again
def write_moment(value: datetime) -> bytes:
    """A timestamp-millis of an aware datetime. Raises TypeError for a naive one."""
    left = to_millis(value) << 1
    if _SIX_BYTES <= left < _SEVEN_BYTES:  # from 1987 to 2039
        return bytes(
            (left & 127 | 128, left >> 7 & 127 | 128, left >> 14 & 127 | 128, left >> 21 & 127 | 128,
             left >> 28 & 127 | 128, left >> 35)
        )  # fmt: skip
    return write_long(left >> 1)


@lru_cache(maxsize=4_096)
def write_money(value: Decimal, precision: int, scale: int) -> bytes:
    """A decimal. Raises TypeError, ValueError or ArithmeticError if it does not fit exactly."""
    # check the length before the conversion to an integer, which takes time quadratic in the length
    if value and value.is_finite() and value.adjusted() >= precision - scale:
        raise ValueError(
            f"an amount of {value.adjusted() + 1} digits before the point; at most {precision - scale} are allowed"
        )
    whole = int(value.scaleb(scale))
    if Decimal(whole).scaleb(-scale) != value or abs(whole) >= 10**precision:
        raise ValueError(f"{short(value)} does not fit into {precision} digits, {scale} of them after the point")
    return write_bytes(whole.to_bytes((whole.bit_length() + 8) >> 3, "big", signed=True))


def write_bytes(value: bytes) -> bytes:
    """Bytes, preceded by their length."""
    size = len(value)
    return write_count(size) + value


def write_text(value: str) -> bytes:
    """A string in UTF-8, preceded by its length in bytes."""
    encoded = value.encode()
    size = len(encoded)
    return write_count(size) + encoded


def write_array(values: Sequence[Any], item: Encoder) -> bytes:
    """An array, in one block."""
    return write_count(len(values)) + b"".join([item(value) for value in values]) + b"\0" if values else b"\0"


def write_map(values: Mapping[str, Any], item: Encoder) -> bytes:
    """A map, in one block."""
    if not values:
        return b"\0"
    return b"".join(
        (write_count(len(values)), *(write_text(key) + item(value) for key, value in values.items()), b"\0")
    )


def write_double(value: float) -> bytes:
    """A double. Raises ValueError for NaN and infinity."""
    if not isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return _DOUBLE.pack(value)


def read_number(b: bytes, p: int) -> tuple[int, int]:
    """The int or long at a position, and the position after it. Raises IndexError at the end of the bytes."""
    # most numbers are timestamps, which take six bytes
    six = int.from_bytes(b[p : p + 6], "little")
    if six & 0x8080_8080_8080 == 0x0080_8080_8080 and six >> 40:
        value = (
            (six & 127) | (six >> 1 & 0x3F80) | (six >> 2 & 0x1F_C000) | (six >> 3 & 0xFE0_0000)
            | (six >> 4 & 0x7_F000_0000) | (six >> 5 & 0x3F8_0000_0000)
        )  # fmt: skip
        return (value >> 1) ^ -(value & 1), p + 6
    byte = b[p]
    if byte < 128:
        return (byte >> 1) ^ -(byte & 1), p + 1
    more = b[p + 1]
    if more < 128:
        value = byte & 127 | more << 7
        return (value >> 1) ^ -(value & 1), p + 2
    return _long_number(b, p)


def _long_number(b: bytes, p: int) -> tuple[int, int]:
    # all ten bytes in one operation: byte by byte takes five times as long, and a record may be full of such numbers
    ten = int.from_bytes(b[p : p + 10], "little")
    ends = ~ten & _HIGH_BITS
    if not ends:
        raise OverflowError("a number of more than ten bytes")
    size = (ends & -ends).bit_length() >> 3
    if p + size > len(b):
        raise IndexError("ends too early")
    value = ten & (1 << 8 * size) - 1 & ~_HIGH_BITS
    for bits, low in _HALVES:  # 7 bits of each 8, then 14 of 16, 28 of 32 and 56 of 64
        value = value & low | (value & ~low) >> bits
    if value >> 64:
        raise OverflowError("a number of more than 64 bits")
    return (value >> 1) ^ -(value & 1), p + size


def read_count(b: bytes, p: int) -> tuple[int, int]:
    """The number of items in the next block of an array (0 at its end), and where they begin. Raises ValueError for
    more items than bytes left."""
    count, p = read_number(b, p)
    if count < 0:  # such a block also states its length in bytes
        count, p = -count, read_number(b, p)[1]
    if count > len(b) - p:
        raise ValueError(f"a block of {count} items in {len(b) - p} bytes")
    return count, p


def read_length(b: bytes, p: int) -> tuple[int, int]:
    """The length of a string or of bytes, and where they begin. Raises ValueError for a negative one."""
    length, p = read_number(b, p)
    if length < 0:
        raise ValueError(f"a length of {length}")
    return length, p


def read_items(b: bytes, p: int, item: Decoder, left: list[int], weight: int) -> tuple[tuple[Any, ...], int]:
    """The items of an array, and the position after them.

    Each item takes ``weight`` from the work that is ``left`` for the whole record. Raises ValueError if too little is
    left.
    """
    values: list[Any] = []
    while True:
        count, p = _affordable(b, p, left, weight)
        if not count:
            return tuple(values), p
        for _ in range(count):
            value, p = item(b, p)
            values.append(value)


def read_map(b: bytes, p: int, item: Decoder, left: list[int], weight: int) -> tuple[dict[str, Any], int]:
    """A map, and the position after it; see :func:`read_items`."""
    values: dict[str, Any] = {}
    while True:
        count, p = _affordable(b, p, left, weight)
        if not count:
            return values, p
        for _ in range(count):
            n, p = read_length(b, p)
            key = str(b[p : p + n], "utf-8")
            values[key], p = item(b, p + n)


def _affordable(b: bytes, p: int, left: list[int], weight: int) -> tuple[int, int]:
    count, p = read_count(b, p)
    left[0] -= count * weight + 3  # a block itself costs 3
    if left[0] < 0:
        raise ValueError(f"{count} more items are too many: all lists of a record together hold {left[1]:,} values")
    return count, p


def read_double(b: bytes, p: int) -> tuple[float, int]:
    """A double, and the position after it. Raises ValueError for NaN and infinity."""
    return _finite(_DOUBLE.unpack_from(b, p)[0]), p + 8


def read_float(b: bytes, p: int) -> tuple[float, int]:
    """A float, and the position after it. Raises ValueError for NaN and infinity."""
    return _finite(_FLOAT.unpack_from(b, p)[0]), p + 4


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return value
