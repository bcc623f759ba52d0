"""The sample-ratio check: whether the arms of an experiment got their intended shares.

If they did not, something dropped or favoured one arm, and the experiment's results are worthless, however many
customers took part.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from streams.events import ExperimentExposed

MISMATCH = 0.001
"""The share of sound experiments that get a warning by chance."""

ENOUGH = 5
"""Expected exposures that each arm needs for the chi-squared approximation to be valid (Cochran's rule)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmExposures:
    """One arm: how many units were exposed to it, and how many were expected."""

    name: str
    exposed: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """The check of one experiment's exposures against its shares."""

    experiment: str
    arms: tuple[ArmExposures, ...]
    chi_squared: float | None
    p_value: float | None
    """The p-value: how often chance alone deviates as much; None with too few exposures or only one arm."""
    impossible: tuple[str, ...]
    """Arms that had no share, but were exposed nevertheless."""
    repeated: int
    """Exposures after the first of their unit, which were left out."""
    moved: int
    """Those of them with another arm than the first, although an assignment must not change."""
    without_shares: int
    """Exposures without shares, which were left out."""

    @property
    def exposures(self) -> int:
        """The number of counted units."""
        return sum(arm.exposed for arm in self.arms)

    @property
    def mismatch(self) -> bool:
        """Whether the experiment cannot be trusted."""
        return bool(self.impossible) or (self.p_value is not None and self.p_value < MISMATCH)


def sample_ratio(exposures: Iterable[ExperimentExposed]) -> tuple[SampleRatio, ...]:
    """The check of each experiment, by name. The earliest exposure of each unit counts.

    An arm's expected number is the sum of its shares at each exposure, so shares may change during the experiment.
    Shares that do not add up to 1 count proportionally, because only exposed units can be compared.
    """
    by_id = {one.event_id: one for one in exposures}
    by_experiment: dict[str, list[ExperimentExposed]] = defaultdict(list)
    for one in sorted(by_id.values(), key=lambda one: (one.occurred_at, one.event_id)):
        by_experiment[one.experiment].append(one)
    return tuple(_of_one(name, by_experiment[name]) for name in sorted(by_experiment))


def _of_one(experiment: str, exposures: list[ExperimentExposed]) -> SampleRatio:
    first: dict[str, ExperimentExposed] = {}
    repeated = moved = without_shares = 0
    for one in exposures:
        known = first.setdefault(one.unit, one)
        repeated += known is not one
        moved += known.arm != one.arm
    exposed: Counter[str] = Counter()
    shares: dict[str, list[float]] = defaultdict(list)
    for one in first.values():
        whole = math.fsum(one.shares.values())
        if whole <= 0:
            without_shares += 1
            continue
        exposed[one.arm] += 1
        for arm, share in one.shares.items():
            shares[arm].append(share / whole)
    expected = {arm: math.fsum(parts) for arm, parts in shares.items()}
    arms = tuple(
        ArmExposures(name=name, exposed=exposed[name], expected=expected.get(name, 0.0))
        for name in sorted(exposed.keys() | expected.keys())
    )
    tested = [arm for arm in arms if arm.expected > 0]
    chi_squared = p_value = None
    if len(tested) > 1 and all(arm.expected >= ENOUGH for arm in tested):
        chi_squared = math.fsum((arm.exposed - arm.expected) ** 2 / arm.expected for arm in tested)
        p_value = chi_squared_tail(chi_squared, len(tested) - 1)
    return SampleRatio(
        experiment=experiment,
        arms=arms,
        chi_squared=chi_squared,
        p_value=p_value,
        impossible=tuple(arm.name for arm in arms if arm.exposed and not arm.expected),
        repeated=repeated,
        moved=moved,
        without_shares=without_shares,
    )


def chi_squared_tail(value: float, degrees: int) -> float:
    """The probability that a chi-squared variable with these degrees of freedom exceeds ``value``, which must be >= 0.

    Exact: one degree uses the error function, two the exponential function, and every two more degrees add a term of
    the gamma function's recurrence (Abramowitz and Stegun, 26.4.4 and 26.4.5).
    """
    if degrees < 1 or value < 0:
        raise ValueError(f"chi-squared of {value} with {degrees} degrees of freedom")
    half = value / 2
    tail, done = (math.erfc(math.sqrt(half)), 1) if degrees % 2 else (math.exp(-half), 2)
    if half > 0:
        for below in range(done, degrees, 2):
            tail += math.exp(below / 2 * math.log(half) - half - math.lgamma(below / 2 + 1))
    return min(tail, 1.0)
