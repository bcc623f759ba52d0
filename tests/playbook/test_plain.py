"""A playbook as plain values, and the differences of two."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from processors.journey.playbook import Playbook
from processors.playbook import load_playbook, playbook_from
from processors.playbook.plain import Change, as_data, changes
from tests.playbook.good import GOOD, SECTIONS, WHOLE, changed, dumped


def loaded(content: Any) -> Playbook:
    return playbook_from(dumped(content).encode(), where="playbook.yaml")


@pytest.mark.parametrize("book", [load_playbook(), loaded(GOOD), loaded(WHOLE)], ids=["packaged", "least", "whole"])
def test_what_is_shown_loads_again(book: Playbook) -> None:
    """The output of ``show --json``, written to a file, loads as the same playbook."""
    again = loaded(as_data(book))
    assert dataclasses.replace(again, version=book.version) == book
    assert changes(book, again) == ()


def test_every_field_of_the_rules_is_in_it() -> None:
    """The plain values contain every field of the rules."""
    data = as_data(loaded(WHOLE))
    assert set(data) == set(WHOLE)
    for name in SECTIONS:
        assert set(data[name]) == set(WHOLE[name])


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("delay_care default threshold", "45m", Change("delay_care.default.threshold", "30m", "45m")),
        ("delay_care default gestures 1 cost", "7", Change("delay_care.default.gestures[movie].cost", "6.50", "7.00")),
        ("recovery nps_at_most", 5, Change("recovery.nps_at_most", 6, 5)),
        ("gesture_budgets 0 most", "1", Change("gesture_budgets[1d].most", "120.00", "1.00")),
        ("caps 1 most", 2, Change("caps[SERVICE, SMS, 1d].most", 3, 2)),
        ("texts delay_care/notice de subject", "x",
         Change("texts.delay_care/notice.de.subject", "Ihr Flug kommt später", "x")),
        ("texts delay_care/notice de subject", None,
         Change("texts.delay_care/notice.de.subject", "Ihr Flug kommt später", None)),
        ("delay_care default lapse", "3d", Change("delay_care.default.lapse", "2d", "3d")),
        ("priority", ["delay_care", "recovery"],
         Change("priority", ["recovery", "delay_care"], ["delay_care", "recovery"])),
        ("experiments 0 arms 1 gestures coupon cost", "5",
         Change("experiments[coupon-kind].arms[shipping].gestures.coupon.cost", "4.50", "5.00")),
        ("currency", "EUR", Change("currency", "USD", "EUR")),
    ],
)  # fmt: skip
def test_a_change_is_found_where_it_is(path: str, value: Any, found: Change) -> None:
    """One change gives one line with the old and the new value."""
    assert changes(loaded(WHOLE), loaded(changed(path, value, of=WHOLE))) == (found,)


def test_how_it_is_written_down_is_no_difference() -> None:
    """Another order of sections and caps, 24h for 1d, and comments change the version and are no difference."""
    other = {name: WHOLE[name] for name in reversed(WHOLE)}
    other["caps"] = list(reversed(WHOLE["caps"]))
    text = "# a comment\n" + dumped(other).replace("24h", "1d").replace("4.00", "4")
    after = playbook_from(text.encode(), where="playbook.yaml")
    assert after.version != loaded(WHOLE).version
    assert changes(loaded(WHOLE), after) == ()


def test_the_order_of_arms_is_a_difference() -> None:
    """The order of arms is a difference, because it decides which customers are in which arm."""
    arms = list(reversed(WHOLE["experiments"][0]["arms"]))
    [change] = changes(loaded(WHOLE), loaded(changed("experiments 0 arms", arms, of=WHOLE)))
    assert change == Change("experiments[coupon-kind].arms (order)", ["usual", "shipping"], ["shipping", "usual"])


def test_a_gesture_put_in_front_does_not_change_the_others() -> None:
    """A gesture that is inserted first is reported alone."""
    gestures = [
        {"wait": "30m", "code": "tea", "title": {"en": "a tea"}, "cost": "1.00"},
        GOOD["delay_care"]["default"]["gestures"][0] | {"wait": "1h"},
        GOOD["delay_care"]["default"]["gestures"][1],
    ]
    found = changes(loaded(GOOD), loaded(changed("delay_care default gestures", gestures)))
    assert {change.path for change in found} == {
        "delay_care.default.gestures[book].wait",
        "delay_care.default.gestures[tea].wait",
        "delay_care.default.gestures[tea].code",
        "delay_care.default.gestures[tea].title.en",
        "delay_care.default.gestures[tea].cost",
    }


@pytest.mark.parametrize("name", SECTIONS)
def test_a_policy_switched_off(name: str) -> None:
    """Removing a policy's section is reported as the removal of its entries only."""
    content = {key: value for key, value in WHOLE.items() if key not in ("holdouts", "experiments", "priority")}
    found = changes(loaded(content), loaded({key: value for key, value in content.items() if key != name}))
    assert len(found) >= len(SECTIONS[name])
    assert [change for change in found if not change.path.startswith(f"{name}.") or change.new is not None] == []
