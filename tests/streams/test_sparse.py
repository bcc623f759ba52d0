"""Native histograms: exact to a few per cent over any range, in a bounded number of buckets."""

from __future__ import annotations

from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sparse import SCHEMA, Sparse

AMOUNTS = st.floats(min_value=1e-30, max_value=1e30)


def bounds(sparse: Sparse, bucket: int) -> tuple[float, float]:
    """What the bucket is above, and at most."""
    base = 2.0 ** (2.0**-sparse.schema)
    return base ** (bucket - 1), base**bucket


def counted(*amounts: float, most: int = 160) -> Sparse:
    """The histogram of these."""
    sparse = Sparse(most=most)
    for amount in amounts:
        sparse.add(amount)
    return sparse


@given(AMOUNTS)
def test_an_observation_is_within_its_bucket(amount: float) -> None:
    """So a quantile is off by no more than a bucket is wide."""
    sparse = counted(amount)
    [bucket] = sparse.counts
    low, high = bounds(sparse, bucket)
    assert low * (1 - 1e-12) <= amount <= high * (1 + 1e-12)


@pytest.mark.parametrize(("amount", "bucket"), [(1.0, 0), (nextafter(1.0, 2), 1), (2.0, 8), (0.5, -8), (1.1, 2)])
def test_a_bound_belongs_to_the_bucket_below_it(amount: float, bucket: int) -> None:
    """As Prometheus counts it: up to and including."""
    assert counted(amount).counts == {bucket: 1}


def test_nothing_and_less_are_zeros() -> None:
    """A clock that went back makes no bucket of its own."""
    sparse = counted(0, -3.5, 2.0**-128, 5)
    assert (sparse.zeros, len(sparse.counts)) == (3, 1)


@given(st.lists(AMOUNTS, min_size=1, max_size=300), st.integers(min_value=2, max_value=20))
def test_buckets_are_bounded_and_none_is_lost(amounts: list[float], most: int) -> None:
    """However far apart the observations are: neighbours become one, and each is still within its bucket."""
    sparse = counted(*amounts, most=most)
    assert len(sparse.counts) <= most
    assert sum(sparse.counts.values()) == len(amounts)
    assert sparse.schema <= SCHEMA
    ranges = [bounds(sparse, bucket) for bucket in sparse.counts]
    assert all(any(low * (1 - 1e-9) <= amount <= high * (1 + 1e-9) for low, high in ranges) for amount in amounts)


@given(st.lists(AMOUNTS, max_size=100), st.integers(min_value=2, max_value=10))
def test_the_order_of_observations_does_not_matter(amounts: list[float], most: int) -> None:
    """A histogram that was made coarser counts as one that was so from the beginning."""
    there, back = counted(*amounts, most=most), counted(*reversed(amounts), most=most)
    if there.schema == back.schema:
        assert there.counts == back.counts


def test_many_at_once_are_as_many_one_by_one() -> None:
    """Observations of a batch are counted together."""
    sparse = Sparse()
    sparse.add_all([0.3, 7, 0, 0.3, 1e-3])
    one_by_one = counted(0.3, 7, 0, 0.3, 1e-3)
    assert (sparse.counts, sparse.zeros) == (one_by_one.counts, one_by_one.zeros)
