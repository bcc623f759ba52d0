"""Sparse exponential buckets: what Prometheus calls a native histogram.

Bucket ``i`` of schema ``s`` holds what is above ``base ** (i - 1)`` and at most ``base ** i``, where ``base`` is 2 to
the power of ``2 ** -s``. Only buckets that hold something exist, and at most so many: if there were more, two
neighbours become one, which is the next lower schema.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from math import frexp

SCHEMA = 3
"""Eight buckets for each power of two: a quantile is off by 4.5 % at most."""
MOST_BUCKETS = 160
ZERO = 2.0**-128
"""What is not above it counts as zero."""

_EACH_POWER = 1 << SCHEMA
_FRACTIONS = [0.5 * 2 ** (number / _EACH_POWER) for number in range(_EACH_POWER)]


class Sparse:
    """Counts observations, none of which is negative."""

    __slots__ = ("_most", "counts", "schema", "zeros")

    def __init__(self, *, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self.schema = SCHEMA
        self.zeros = 0
        self.counts: dict[int, int] = {}
        """By bucket."""

    def add(self, amount: float) -> None:
        """Count ``amount``."""
        self._count(_finest(amount), 1)

    def add_all(self, amounts: Iterable[float]) -> None:
        """Count each of ``amounts``."""
        for finest, times in Counter(map(_finest, amounts)).items():
            self._count(finest, times)

    def copy(self) -> Sparse:
        """As it is now."""
        same = Sparse(most=self._most)
        same.schema, same.zeros, same.counts = self.schema, self.zeros, dict(self.counts)
        return same

    def _count(self, finest: int | None, times: int) -> None:
        if finest is None:
            self.zeros += times
            return
        coarser = SCHEMA - self.schema
        bucket = (finest + (1 << coarser) - 1) >> coarser
        self.counts[bucket] = self.counts.get(bucket, 0) + times
        while len(self.counts) > self._most:
            self._coarsen()

    def _coarsen(self) -> None:
        fewer: dict[int, int] = {}
        for bucket, count in self.counts.items():
            wider = (bucket + 1) >> 1
            fewer[wider] = fewer.get(wider, 0) + count
        self.counts = fewer
        self.schema -= 1


@lru_cache(maxsize=8_192)  # most latencies are whole milliseconds, and come again
def _finest(amount: float) -> int | None:
    """The bucket of the finest schema; None: it counts as zero."""
    if amount <= ZERO:
        return None
    fraction, exponent = frexp(amount)
    return bisect_left(_FRACTIONS, fraction) + (exponent - 1) * _EACH_POWER
