"""The sample-ratio check, against the tables of the chi-squared distribution."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from processors.cli.experiments import as_data, verdict
from processors.measure.sample_ratio import SampleRatio, chi_squared_tail, sample_ratio
from streams.events import ExperimentExposed

NOON = datetime(2026, 2, 9, 12, tzinfo=UTC)
HALVES = {"a": 0.5, "b": 0.5}


def exposed(
    unit: str, arm: str, *, shares: Mapping[str, float] = HALVES, experiment: str = "gift", minutes: int = 0
) -> ExperimentExposed:
    """A customer met the experiment."""
    return ExperimentExposed(
        event_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{experiment} {unit} {arm} {minutes}")),
        customer_id=unit,
        occurred_at=NOON + timedelta(minutes=minutes),
        experiment=experiment,
        unit=unit,
        arm=arm,
        bucket=0.5,
        shares=shares,
        policy="delay_care",
        journey_id="flight UA571",
        playbook_version="test",
    )


def crowd(shares: Mapping[str, float] = HALVES, *, experiment: str = "gift", **arms: int) -> list[ExperimentExposed]:
    """So many units in each arm."""
    return [
        exposed(f"{arm}-{number}", arm, shares=shares, experiment=experiment)
        for arm, count in arms.items()
        for number in range(count)
    ]


def checked(*exposures: ExperimentExposed) -> SampleRatio:
    """Of one experiment."""
    [found] = sample_ratio(exposures)
    return found


@pytest.mark.parametrize(
    ("degrees", "value", "tail"),
    [
        # NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4: upper critical values
        (1, 2.706, 0.10), (1, 3.841, 0.05), (1, 6.635, 0.01), (1, 10.828, 0.001),
        (2, 4.605, 0.10), (2, 5.991, 0.05), (2, 9.210, 0.01), (2, 13.816, 0.001),
        (3, 6.251, 0.10), (3, 7.815, 0.05), (3, 11.345, 0.01), (3, 16.266, 0.001),
        (4, 9.488, 0.05), (4, 18.467, 0.001), (5, 11.070, 0.05), (5, 20.515, 0.001),
        (9, 16.919, 0.05), (10, 18.307, 0.05), (10, 29.588, 0.001), (30, 43.773, 0.05), (99, 148.230, 0.001),
        (100, 124.342, 0.05), (100, 149.449, 0.001),
    ],
)  # fmt: skip
def test_the_tail_is_that_of_the_tables(degrees: int, value: float, tail: float) -> None:
    """To the tables' three decimals."""
    assert chi_squared_tail(value, degrees) == pytest.approx(tail, rel=2e-3)


def test_the_tails_ends() -> None:
    """Nothing is certain to be exceeded; what is far out never is; half a degree is none."""
    assert [chi_squared_tail(0, degrees) for degrees in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert chi_squared_tail(10_000, 7) == 0
    assert chi_squared_tail(1e-12, 101) == pytest.approx(1)
    with pytest.raises(ValueError, match="0 degrees"):
        chi_squared_tail(1, 0)


def test_arms_that_got_their_shares_are_trusted() -> None:
    """520 and 480 of a thousand: chi-squared 1.6, p 0.206."""
    found = checked(*crowd(a=520, b=480))
    assert found.chi_squared == pytest.approx(1.6)
    assert found.p_value == pytest.approx(0.2059, abs=1e-4)
    assert not found.mismatch
    assert verdict(found) == "as it should be"


def test_a_missing_tenth_of_an_arm_is_found() -> None:
    """5,000 and 4,500: chi-squared 26.3 at one degree of freedom."""
    found = checked(*crowd(a=5_000, b=4_500))
    assert found.chi_squared == pytest.approx(26.316, abs=1e-3)
    assert found.mismatch
    assert verdict(found) == "sample ratio mismatch: do not trust this experiment"


def test_three_arms_of_unequal_shares() -> None:
    """100, 40, 60 where 100, 60, 40 were to be expected: chi-squared 6.667 + 10, two degrees of freedom."""
    found = checked(*crowd({"a": 0.5, "b": 0.3, "c": 0.2}, a=100, b=40, c=60))
    assert [arm.expected for arm in found.arms] == pytest.approx([100, 60, 40])
    assert found.chi_squared == pytest.approx(16.667, abs=1e-3)
    assert found.p_value == pytest.approx(2.4e-4, rel=0.01)


def test_an_arm_nobody_came_to_counts() -> None:
    """A tenth was to be held out, and nobody was."""
    found = checked(*crowd({"served": 0.9, "held_out": 0.1}, served=500))
    assert [(arm.name, arm.exposed) for arm in found.arms] == [("held_out", 0), ("served", 500)]
    assert found.mismatch


def test_each_exposure_counts_with_the_shares_of_its_time() -> None:
    """A share that was raised on the way is no mismatch."""
    before = [exposed(f"early-{n}", "b" if n < 100 else "a", shares={"a": 0.9, "b": 0.1}) for n in range(1_000)]
    after = [exposed(f"late-{n}", "b" if n < 500 else "a", minutes=1) for n in range(1_000)]
    found = checked(*before, *after)
    assert [(arm.name, arm.exposed, round(arm.expected)) for arm in found.arms] == [("a", 1400, 1400), ("b", 600, 600)]
    assert found.p_value == pytest.approx(1)


def test_shares_count_in_proportion() -> None:
    """Arms that share half of the customers: only those exposed can be compared."""
    found = checked(*crowd({"a": 0.25, "b": 0.25}, a=50, b=50))
    assert [arm.expected for arm in found.arms] == [50, 50]


def test_what_is_told_twice_counts_once() -> None:
    """By the exposure's id; and of a unit only the first, whose arm stays."""
    people = crowd(a=20, b=20)
    again = exposed("a-0", "a", minutes=5)
    switched = exposed("b-0", "a", minutes=6)
    found = checked(switched, *people, *people, again)
    assert [(arm.name, arm.exposed) for arm in found.arms] == [("a", 20), ("b", 20)]
    assert (found.repeated, found.moved) == (2, 1)


def test_few_exposures_say_nothing() -> None:
    """All four in one arm is what chance does one time in eight."""
    found = checked(*crowd(a=4))
    assert (found.p_value, found.mismatch, verdict(found)) == (None, False, "too few exposures to say")


def test_an_arm_without_a_share_is_a_mismatch_at_once() -> None:
    """However few: it can't be."""
    found = checked(exposed("ana", "c"))
    assert found.mismatch
    assert verdict(found).endswith("(exposed without a share: c)")


def test_exposures_that_name_no_shares_are_told_apart() -> None:
    """They can't be compared with anything."""
    found = checked(*crowd(a=10, b=10), exposed("old", "a", shares={}))
    assert (found.exposures, found.without_shares) == (20, 1)


def test_a_single_arm_is_no_experiment() -> None:
    """There is nothing to compare."""
    assert verdict(checked(*crowd({"a": 1.0}, a=50))) == "only one arm"


def test_experiments_are_in_the_order_of_their_names() -> None:
    """Each by itself, whatever order the exposures come in; and nothing for nothing."""
    some = [
        *crowd(a=5, b=5),
        *crowd({"served": 0.5, "held_out": 0.5}, experiment="holdout/global", served=5, held_out=5),
    ]
    assert sample_ratio(some) == sample_ratio(reversed(some))
    assert [one.experiment for one in sample_ratio(some)] == ["gift", "holdout/global"]
    assert sample_ratio([]) == ()


def test_the_data_is_plain() -> None:
    """What a program gets."""
    data = as_data(checked(*crowd(a=500, b=500)))
    assert data["arms"] == [
        {"arm": "a", "exposed": 500, "expected": 500.0},
        {"arm": "b", "exposed": 500, "expected": 500.0},
    ]
    assert (data["p_value"], data["mismatch"], data["exposures"]) == (1.0, False, 1000)
