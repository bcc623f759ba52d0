"""Experiments and holdouts: arms are assigned by a hash and never change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from growthbook import core
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from processors.journey.experiments import bucket, chosen
from processors.journey.playbook import GLOBAL, Arm, Experiment, GestureOffer, Holdout, Playbook
from streams.events import ConsentStatus, OutreachRequested, Purpose
from tests.drawn import examples
from tests.journey.care import cannot_have, everything, exposures
from tests.journey.given import CUSTOMER, Journey, at, consent, delay, given, profile

BIG = GestureOffer(code="twenty-percent", title={"en": "twenty percent off"}, cost=Decimal("9.00"), currency="USD")
YES = consent(ConsentStatus.GRANTED, purpose=Purpose.MARKETING)


def coupons(small: float, *, coverage: float = 1.0) -> Experiment:
    """Return an experiment: ten percent for some, twenty for the others."""
    return Experiment(
        key="coupon-size",
        policy="out_of_stock_save",
        seed="coupon-size",
        arms=(
            Arm(name="ten", share=small),
            Arm(name="twenty", share=1 - small, gestures={"ten-percent": BIG}),
        ),
        coverage=coverage,
    )


def holdout(share: float, name: str = "out_of_stock_save") -> Playbook:
    """Return a playbook that holds out that share of customers."""
    return everything(holdouts={name: Holdout(share=share, seed=f"holdout-{name}")})


def shops(playbook: Playbook) -> Journey:
    """Ana asks for boots that are unavailable."""
    return given(profile(), YES, playbook=playbook).when(cannot_have(at("12:00"), "boots-42", "89.00"))


@for_any(st.text(max_size=30), st.text(max_size=30), st.sampled_from([1, 2]))
@settings(max_examples=examples(300), deadline=None)
def test_the_hash_is_growthbooks(seed: str, value: str, version: int) -> None:
    """GrowthBook's own library gives every value the same bucket."""
    assert bucket(seed, value, version) == core.gbhash(seed, value, version)


@for_any(st.floats(0, 1, exclude_max=True), st.lists(st.integers(1, 100), min_size=1, max_size=5), st.floats(0, 1))
@settings(max_examples=examples(300), deadline=None)
def test_so_is_the_arm(place: float, parts: list[int], coverage: float) -> None:
    """GrowthBook's own library gives every bucket the same arm, for any shares and coverage."""
    shares = [part / sum(parts) for part in parts]
    ranges = core.getBucketRanges(len(shares), coverage, shares)
    assert chosen(place, shares, coverage) == core.chooseVariation(place, ranges)


def test_a_customer_in_the_holdout_hears_nothing_and_that_is_on_record() -> None:
    """A customer in the holdout group gets no letter; the exposure names the decision."""
    ana = shops(holdout(1.0)).then("suppress save: holdout")
    (met,) = exposures(ana)
    assert (met.experiment, met.unit, met.arm) == ("holdout/out_of_stock_save", CUSTOMER, "held_out")
    assert met.decision_id == ana.decisions[0].decision_id
    assert ana.decisions[0].inputs["holdout/out_of_stock_save"] == "held_out"
    ana.when_time_passes_to(at("12:00", day=3)).then_nothing()


def test_a_customer_outside_of_it_is_an_exposure_too() -> None:
    """A customer who is served is recorded as an exposure of the other arm."""
    ana = shops(holdout(0.0)).then("send save with ten-percent")
    assert [(one.arm, one.shares) for one in exposures(ana)] == [("served", {"held_out": 0.0, "served": 1.0})]


def test_whoever_would_not_have_heard_anyway_is_no_exposure() -> None:
    """A customer without consent is no exposure of the holdout."""
    ana = given(profile(), playbook=holdout(1.0)).when(cannot_have(at("12:00"), "boots-42", "89.00"))
    ana.then("suppress save: no_consent")
    assert exposures(ana) == []


def test_the_global_holdout_is_out_of_every_policy() -> None:
    """The global holdout applies to every policy."""
    playbook = holdout(1.0, GLOBAL)
    ana = shops(playbook).then("suppress save: holdout")
    ana.when(delay(at("12:30"), minutes=90)).then("suppress notice: holdout")
    assert [one.experiment for one in exposures(ana)] == ["holdout/global"]


def test_a_holdout_does_not_touch_other_policies() -> None:
    """A holdout from one policy does not apply to others."""
    shops(holdout(1.0)).when(delay(at("12:30"), minutes=90)).then("send notice with free-book")


@pytest.mark.parametrize(("first", "second"), [(0.0, 1.0), (1.0, 0.0)])
def test_changing_a_share_never_moves_those_already_assigned(first: float, second: float) -> None:
    """A customer keeps the arm when the holdout's share changes."""
    ana = shops(holdout(first))
    later = Journey(holdout(second))
    later.state, later.now = ana.state, ana.now
    later.when(cannot_have(at("13:00"), "coat-7", "150.00"))
    later.then("send save with ten-percent" if first == 0.0 else "suppress save: holdout")
    assert exposures(later) == []


def test_an_arm_gives_something_else_and_says_so() -> None:
    """An arm replaces the gesture, and the decision names the arm."""
    ana = shops(everything(experiments=(coupons(0.0),))).then("send save with twenty-percent")
    assert ana.requests[0].variables["gesture_title"] == "twenty percent off"
    assert ana.decisions[0].inputs["coupon-size"] == "twenty"
    assert [(one.experiment, one.arm) for one in exposures(ana)] == [("coupon-size", "twenty")]


def test_an_arm_may_be_another_letter() -> None:
    """An arm may replace the letter."""
    brief = Arm(name="brief", share=1.0, templates={"out_of_stock_save/save": "out_of_stock_save/brief"})
    experiment = replace(coupons(1.0), arms=(brief,))
    ana = shops(everything(experiments=(experiment,)))
    assert ana.requests[0].template == "out_of_stock_save/brief"


def test_arms_stay_when_shares_change_or_the_arm_is_gone() -> None:
    """A customer keeps the arm when shares change; if the arm is removed, they get the usual gesture."""
    ana = shops(everything(experiments=(coupons(0.0),)))
    for playbook, gift in (
        (everything(experiments=(coupons(1.0),)), "twenty-percent"),
        (everything(experiments=(replace(coupons(1.0), arms=(Arm(name="ten", share=1.0),)),)), "ten-percent"),
    ):
        later = Journey(playbook)
        later.state, later.now = ana.state, ana.now
        later.when(cannot_have(at("13:00"), "coat-7", "150.00"))
        assert [one.gesture.code for one in later.requests if one.gesture] == (
            [gift] if gift == "twenty-percent" else ["ten-percent"]
        )


def test_no_coverage_is_no_part_and_no_exposure() -> None:
    """With no coverage the usual gesture is given and no exposure recorded."""
    ana = shops(everything(experiments=(coupons(0.5, coverage=0.0),))).then("send save with ten-percent")
    assert exposures(ana) == []


def test_an_experiment_that_would_change_nothing_is_not_met() -> None:
    """A letter without that gesture is no exposure of the experiment."""
    ana = given(profile(), playbook=everything(experiments=(replace(coupons(0.5), policy="delay_care"),)))
    ana.when(delay(minutes=90))
    assert any(isinstance(one, OutreachRequested) for one in ana.outputs)
    assert exposures(ana) == []


def test_the_shares_are_kept_over_many_customers() -> None:
    """Of ten thousand customers 23 to 27 percent fall into an arm with a share of a quarter."""
    held = sum(chosen(bucket("holdout-x", f"customer-{number}"), (0.25, 0.75)) == 0 for number in range(10_000))
    assert 2_300 < held < 2_700
