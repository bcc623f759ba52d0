"""Every section of a playbook file: its rules, and what is rejected."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from processors.journey.playbook import Budget, Holdout, Playbook
from processors.journey.wait_rules import WaitRules
from processors.playbook import PlaybookRefused, load_playbook, playbook_from
from processors.policies.registry import installed, names
from streams.events import OutreachChannel
from tests.playbook.good import GOOD, SECTIONS, WHOLE, changed, dumped, is_told_where_it_is


def loaded(content: dict[str, Any]) -> Playbook:
    return playbook_from(dumped(content).encode(), where="playbook.yaml")


def test_the_whole_of_it_is_meant() -> None:
    """The playbook has the values of all sections."""
    book = loaded(WHOLE)
    assert {plugin.name for plugin in installed() if book.rules_of(plugin.rules) is not None} == {
        "delay_care", *SECTIONS
    }  # fmt: skip
    assert book.gesture_budgets == (Budget(most=Decimal("120.00"), window=timedelta(days=1)),)
    assert [cap.channel for cap in book.caps] == [None, OutreachChannel.SMS]
    assert book.holdouts["global"] == Holdout(share=0.02, seed="everything")
    [experiment] = book.experiments
    assert (experiment.key, experiment.policy, experiment.coverage, experiment.hash_version) == (
        "coupon-kind", "out_of_stock_save", 0.8, 2,
    )  # fmt: skip
    assert experiment.arms[1].gestures["coupon"].cost == Decimal("4.50")
    assert experiment.arms[1].gestures["coupon"].currency == "USD"
    assert experiment.arms[1].templates == {"out_of_stock_save/save": "out_of_stock_save/save_short"}
    assert book.texts["delay_care/notice"]["de"]["subject"] == "Ihr Flug kommt später"
    assert book.priority == ("recovery", "delay_care")


def test_a_policy_without_a_section_is_off() -> None:
    """A policy without a section is switched off."""
    book = loaded(GOOD)
    assert [plugin.name for plugin in installed() if book.rules_of(plugin.rules) is not None] == ["delay_care"]
    assert (book.holdouts, book.experiments, book.texts, book.gesture_budgets) == ({}, (), {}, ())


def test_the_playbook_in_the_package_has_every_policy() -> None:
    """The packaged playbook switches on every policy, and holds customers out of marketing only."""
    book = load_playbook()
    assert [plugin.name for plugin in installed() if book.rules_of(plugin.rules) is None] == []
    assert set(book.priority) == set(names())
    assert set(book.holdouts) == {"out_of_stock_save"}


COUPON = {"code": "x", "title": {"en": "x"}, "cost": "1"}
ARM = "experiments 0 arms 1"


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("gesture_budgets 0 most", "1.234", "gesture_budgets.0.most", "two decimals"),
        ("caps 1 channel", None, "caps.1", "stands twice"),
        ("caps 1 channel", "AGENT_TASK", "caps.1.channel", "not a channel to a customer"),
        ("caps 1 channel", "OTHER", "caps.1.channel", "not a channel to a customer"),
        ("channel_order 0", "AGENT_TASK", "channel_order.0", "not a channel to a customer"),
        ("channel_order", ["EMAIL", "SMS", "EMAIL"], "channel_order.2", "stands twice"),
        ("holdouts delay", {"share": 0.1, "seed": "x"}, "holdouts.delay", "not a policy"),
        ("holdouts global share", 2, "holdouts.global.share", "from 0 to 1"),
        ("holdouts global seed", "stock", "holdouts.out_of_stock_save.seed", "the same customers"),
        ("experiments 0 seed", "stock", "experiments.0.seed", "the same customers"),
        ("experiments 0 policy", "global", "experiments.0.policy", "not a policy"),
        ("experiments 0 key", "Coupon kind", "experiments.0.key", "not a valid name"),
        ("experiments 0 coverage", 1.01, "experiments.0.coverage", "from 0 to 1"),
        ("experiments 0 hash_version", 3, "experiments.0.hash_version", "1 or 2"),
        ("experiments 0 arms", [{"name": "a", "share": 1}], "experiments.0.arms", "at least 2"),
        ("experiments 0 arms 0 share", 0.4, "experiments.0.arms", "add up to 0.9"),
        ("experiments 0 arms 0 share", 0.500001, "experiments.0.arms", "have to make 1"),
        ("experiments 0 arms 0 name", "shipping", "experiments.0.arms.1.name", "stands twice"),
        (f"{ARM} gestures", {"cupon": COUPON}, "experiments.0.arms.1.gestures.cupon", "it gives: coupon"),
        (f"{ARM} gestures", {"book": COUPON}, "experiments.0.arms.1.gestures.book", "gives no such gesture"),
        (f"{ARM} templates", {"save": "out_of_stock_save/save_short"},
         "experiments.0.arms.1.templates.save", "not a letter"),
        (f"{ARM} templates", {"out_of_stock_save/save": "../x"},
         "experiments.0.arms.1.templates.out_of_stock_save/save", "not a letter"),
        (f"{ARM} templates", {"out_of_stock_save/save": "delay_care/notice"},
         "experiments.0.arms.1.templates.out_of_stock_save/save", "have to be of out_of_stock_save"),
        ("texts delay/notice", {"de": {"subject": "x"}}, "texts.delay/notice", "not a letter"),
        ("texts delay_care/notice german", {"subject": "x"}, "texts.delay_care/notice.german", "not a known language"),
        ("texts delay_care/notice de title", "x", "texts.delay_care/notice.de.title", "not a part"),
        ("texts delay_care/notice de subject", "{{ description }",
         "texts.delay_care/notice.de.subject", "in its line 1"),
        ("texts delay_care/notice de subject", "a\n{% for x in y %}{% endfor %}", "texts.delay_care/notice.de.subject",
         "in its line 2: a loop"),
        ("texts delay_care/notice de subject", "{{ ''.__class__ }}", "texts.delay_care/notice.de.subject", "__class__"),
        ("texts delay_care/notice de subject", "{{ nobody }}", "texts.delay_care/notice.de.subject", "'nobody'"),
        ("texts out_of_stock_save/save_short en body", None, "texts.out_of_stock_save/save_short.en.body", "missing"),
        ("texts out_of_stock_save/save_short", None,
         "experiments.0.arms.1.templates.out_of_stock_save/save", "no letter out_of_stock_save/save_short"),
        ("texts delay_care/notice de subject", 5, "texts.delay_care/notice.de.subject", "text"),
        ("priority 0", "kindness", "priority.0", "not a policy"),
        ("priority 1", "recovery", "priority.1", "stands twice"),
        ("delay_care default lapse", "0s", "delay_care.default.lapse", "longer than nothing"),
        ("quiet_hours", "none", "quiet_hours", "section"),
        ("caps", {"most": 1}, "caps", "list"),
        ("kindness", {"most": 1}, "kindness", "not known"),
    ],
)  # fmt: skip
def test_a_slip_is_told_where_it_is(path: str, value: Any, field: str, problem: str) -> None:
    """One mistake gives one message, with the field and what would be right."""
    is_told_where_it_is(path, value, field, problem)


def test_a_second_experiment_of_the_same_key() -> None:
    """Two experiments with the same key are rejected."""
    again = WHOLE["experiments"][0] | {"seed": "other"}
    with pytest.raises(PlaybookRefused, match=r"experiments\.1\.key: stands twice"):
        loaded(WHOLE | {"experiments": [*WHOLE["experiments"], again]})


def test_two_experiments_over_one_thing() -> None:
    """Two experiments that replace the same gesture or letter are rejected, because neither could be measured."""
    first = WHOLE["experiments"][0]
    again = first | {"key": "other", "seed": "other"}
    with pytest.raises(PlaybookRefused) as caught:
        loaded(WHOLE | {"experiments": [first, again]})
    assert [(fault.field, fault.problem) for fault in caught.value.faults] == [
        ("experiments.1.arms.1.gestures.coupon", "experiments.0 replaces it too; put both into one"),
        ("experiments.1.arms.1.templates.out_of_stock_save/save", "experiments.0 replaces it too; put both into one"),
    ]


def test_shares_that_only_arithmetic_parts_from_one() -> None:
    """Ten shares of 0.1 add up to 1 in spite of rounding."""
    arms = [{"name": f"arm-{number}", "share": 0.1} for number in range(10)]
    book = loaded(changed("experiments 0 arms", arms, of=WHOLE))
    assert len(book.experiments[0].arms) == 10


def test_an_empty_section_is_asked_about(tmp_path: Path) -> None:
    """A section without content is rejected, because it may be an oversight."""
    text = dumped(GOOD) + "recovery:\n"
    with pytest.raises(PlaybookRefused, match=r"recovery: is empty; leave it out"):
        playbook_from(text.encode(), where="playbook.yaml")


def test_norwegians_have_a_language_too() -> None:
    """The locale `no` is Norwegian, although YAML reads it as false."""
    texts = {
        "delay_care/notice": {"no": {"subject": "Flyet er forsinket", "body": "Vi skriver igjen."}},
        "foot": {"no": {"foot": "Dette er en tjenestemelding. Hvorfor: {{ why }}", "stop": "Meld deg av"}},
        "why": {"no": {"delay_care": "Det er tungt nok å vente; ingen skal måtte spørre også."}},
    }
    book = loaded(changed("texts", texts))
    assert "no" in book.texts["delay_care/notice"]
    text = dumped(GOOD).replace("en: a book", "en: a book\n        no: en bok")
    assert (
        playbook_from(text.encode(), where="p").rules_of(WaitRules).of("parcel").stages[0].gesture.title["no"]
        == "en bok"
    )
