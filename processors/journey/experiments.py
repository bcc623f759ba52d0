"""Experiments and holdouts: assigns arms by a hash of the seed and the customer. An assignment never changes.

The hash and the choice of the arm are GrowthBook's (https://docs.growthbook.io/lib/build-your-own, versions 1 and 2 of
its hash), so that a feature flag there and an experiment here put the same customer into the same arm. The assignment
is kept in the customer's state when they first meet the experiment, so that it stays even if the shares change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from processors.journey.actions import Assigned
from processors.journey.playbook import GLOBAL, Experiment, Playbook
from streams.events import JourneyState

HELD_OUT, SERVED = "held_out", "served"

_OFFSET, _PRIME, _WORD = 0x811C9DC5, 0x01000193, 0xFFFFFFFF


def bucket(seed: str, value: str, version: int = 2) -> float:
    """Return the value's bucket, at least 0 and below 1: FNV-1a in 32 bits; version 2 spreads values evenly."""
    if version == 1:
        return (_fnv1a(value + seed) % 1000) / 1000
    return (_fnv1a(str(_fnv1a(seed + value))) % 10000) / 10000


def chosen(place: float, shares: Sequence[float], coverage: float = 1.0) -> int:
    """Return the index of the arm that the bucket ``place`` falls into; -1 if it takes no part. Each arm begins where
    the shares before it end, and is filled up to ``coverage``, so that raising the coverage moves nobody."""
    begin = 0.0
    for index, share in enumerate(shares):
        if begin <= place < begin + coverage * share:
            return index
        begin += share
    return -1


def assign(
    state: JourneyState, *, experiment: str, seed: str, unit: str, shares: dict[str, float],
    coverage: float = 1.0, version: int = 2,
) -> Assigned | None:  # fmt: skip
    """Return the unit's arm: the one assigned earlier, else the one that its hash gives; None if it takes no part."""
    place = bucket(seed, unit, version)
    arm = _assigned(state, experiment, unit)
    first = arm is None
    if arm is None:
        index = chosen(place, tuple(shares.values()), coverage)
        if index < 0:
            return None
        arm = tuple(shares)[index]
    return Assigned(experiment=experiment, unit=unit, arm=arm, bucket=place, shares=shares, first=first)


def draw(
    state: JourneyState, *, experiment: str, seed: str, unit: str, share: float, drawn: str, others: str
) -> Assigned:
    """Assign the unit to ``drawn`` with probability ``share``, else to ``others``; an earlier assignment is kept."""
    place = bucket(seed, unit)
    known = _assigned(state, experiment, unit)
    arm = known or (drawn if place < share else others)
    shares = {drawn: share, others: 1 - share}
    return Assigned(experiment=experiment, unit=unit, arm=arm, bucket=place, shares=shares, first=known is None)


def held_out(state: JourneyState, policy: str, playbook: Playbook) -> Iterable[Assigned]:
    """Yield the holdouts that the policy's next outreach to this customer meets, the global one first."""
    for name in (GLOBAL, policy):
        holdout = playbook.holdouts.get(name)
        if holdout is not None:
            yield draw(
                state,
                experiment=f"holdout/{name}",
                seed=holdout.seed,
                unit=state.customer_id,
                share=holdout.share,
                drawn=HELD_OUT,
                others=SERVED,
            )


def arm_of(state: JourneyState, experiment: Experiment) -> Assigned | None:
    """Return the customer's arm; None if they take no part."""
    return assign(
        state,
        experiment=experiment.key,
        seed=experiment.seed,
        unit=state.customer_id,
        shares={arm.name: arm.share for arm in experiment.arms},
        coverage=experiment.coverage,
        version=experiment.hash_version,
    )


def _assigned(state: JourneyState, experiment: str, unit: str) -> str | None:
    return next((one.arm for one in state.assignments if (one.experiment, one.unit) == (experiment, unit)), None)


def _fnv1a(text: str) -> int:
    found = _OFFSET
    encoded = text.encode("utf-16-le", "surrogatepass")  # JavaScript hashes UTF-16 code units
    for low, high in zip(encoded[::2], encoded[1::2], strict=True):
        found = ((found ^ (low | high << 8)) * _PRIME) & _WORD
    return found
