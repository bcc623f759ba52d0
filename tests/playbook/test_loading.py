"""Loading a playbook file: what a care lead may write, and how a mistake is reported."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from processors.journey.wait_rules import WaitRules, wait_rules
from processors.playbook import load_playbook
from streams.errors import SettingsError
from streams.events import OutreachChannel, Purpose
from tests.playbook.good import GOOD, changed, dumped, written


def test_the_one_in_the_package_loads() -> None:
    """The packaged playbook loads, with rules for flights and a default."""
    playbook = load_playbook()
    waits = playbook.rules_of(WaitRules)
    assert waits is not None
    assert {"flight", "default"} <= set(waits.kinds)
    assert {kind for kind, rules in waits.kinds.items() if rules.stages} == {"flight", "default"}
    for rules in waits.kinds.values():
        for stage in rules.stages:
            assert set(stage.gesture.title) >= {"en", "de", "es", "pt", "fr"}


def test_everything_in_the_file_is_meant(tmp_path: Path) -> None:
    """The rules have the values of the file."""
    playbook = load_playbook(written(tmp_path, GOOD))
    rules = wait_rules(playbook, "parcel")
    assert (rules.threshold, rules.revise_after) == (timedelta(minutes=30), timedelta(minutes=20))
    assert [(stage.wait, stage.gesture.code) for stage in rules.stages] == [
        (timedelta(minutes=30), "book"),
        (timedelta(hours=2), "movie"),
    ]
    assert rules.cancelled is not None
    assert (rules.cancelled.cost, rules.cancelled.currency) == (Decimal("95.00"), "USD")
    assert playbook.quiet_hours is not None
    assert (playbook.quiet_hours.begin, playbook.quiet_hours.end) == (time(22), time(7))
    (cap,) = playbook.caps
    assert (cap.purpose, cap.most, cap.window) == (Purpose.SERVICE, 8, timedelta(days=1))
    assert playbook.channel_order == (OutreachChannel.EMAIL,)


@pytest.mark.parametrize(
    ("locale", "title"), [("de", "ein Buch"), ("de-AT", "ein Buch"), ("en-US", "a book"), ("fr", "a book")]
)
def test_a_gesture_in_the_customers_language(tmp_path: Path, locale: str, title: str) -> None:
    """A gesture's title is in the customer's language, its parent, or English."""
    rules = wait_rules(load_playbook(written(tmp_path, GOOD)), "parcel")
    assert rules.stages[0].gesture.in_locale(locale).title == title


def test_the_version_goes_by_the_content(tmp_path: Path) -> None:
    """Equal content gives the same version, any change another."""
    first = load_playbook(written(tmp_path, GOOD)).version
    assert load_playbook(written(tmp_path, GOOD)).version == first
    assert load_playbook(written(tmp_path, changed("caps 0 most", 9))).version != first


def test_without_quiet_hours_and_caps(tmp_path: Path) -> None:
    """Both may be left out."""
    content = {key: value for key, value in GOOD.items() if key not in ("quiet_hours", "caps")}
    playbook = load_playbook(written(tmp_path, content))
    assert playbook.quiet_hours is None
    assert playbook.caps == ()


@pytest.mark.parametrize(
    ("path", "value", "field", "problem"),
    [
        ("delay_care.default.threshold", "half an hour", "delay_care.default.threshold", "not a duration"),
        ("delay_care.default.threshold", 30, "delay_care.default.threshold", "not a duration"),
        ("delay_care.default.threshold", "-5m", "delay_care.default.threshold", "not a duration"),
        ("delay_care.default.threshold", "400d", "delay_care.default.threshold", "at most 365d"),
        ("delay_care.default.threshold", "9999999999999d", "delay_care.default.threshold", "at most 365d"),
        ("delay_care.default.threshold", None, "delay_care.default.threshold", "is missing"),
        ("delay_care.default.treshold", "30m", "delay_care.default.treshold", "is threshold meant?"),
        (
            "delay_care.default.gestures.1.wait",
            "10m",
            "delay_care.default.gestures.1.wait",
            "longer than the one before",
        ),
        ("delay_care.default.gestures.1.code", "book", "delay_care.default.gestures.1.code", "stands twice"),
        ("delay_care.default.gestures.0.code", "Free Book", "delay_care.default.gestures.0.code", "small letters"),
        ("delay_care.default.gestures.0.title", {"de": "Buch"}, "delay_care.default.gestures.0.title", "English"),
        ("delay_care.default.gestures.0.title.en", "", "delay_care.default.gestures.0.title.en", "at least 1"),
        ("delay_care.default.gestures.0.cost", "-1", "delay_care.default.gestures.0.cost", "not below zero"),
        ("delay_care.default.gestures.0.cost", "1.005", "delay_care.default.gestures.0.cost", "two decimals"),
        ("delay_care.default.gestures.1.link", "http://x", "delay_care.default.gestures.1.link", "https://"),
        ("delay_care", {"flight": GOOD["delay_care"]["default"]}, "delay_care", "default"),
        ("quiet_hours.begin", "25:00", "quiet_hours.begin", "'25:00'"),
        ("quiet_hours.begin", 1320, "quiet_hours.begin", "in quotes"),
        ("quiet_hours.begin", "22:00Z", "quiet_hours.begin", "'22:00Z'"),
        ("quiet_hours.begin", "07:00", "quiet_hours.end", "the same"),
        ("quiet_hours.end", None, "quiet_hours.end", "is missing"),
        ("caps.0.most", 0, "caps.0.most", "greater than or equal to 1"),
        ("caps.0.most", 61, "caps.0.most", "less than or equal to 60"),
        ("caps.0.window", "0h", "caps.0.window", "longer than nothing"),
        ("caps.0.window", "31d", "caps.0.window", "at most 30d"),
        ("caps.0.purpose", "FUN", "caps.0.purpose", "SERVICE"),
        ("channel_order", [], "channel_order", "at least 1"),
        ("channel_order.0", "PIGEON", "channel_order.0", "EMAIL"),
        ("default_time_zone", "Mars/Olympus", "default_time_zone", "not an IANA time zone"),
        ("default_locale", "", "default_locale", "not a locale"),
        ("currency", "dollars", "currency", "not a currency"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, path: str, value: Any, field: str, problem: str) -> None:
    """The message names the file, the field and what would be right."""
    file = written(tmp_path, changed(path.replace(".", " "), value))
    with pytest.raises(SettingsError) as caught:
        load_playbook(file)
    said = str(caught.value)
    assert str(file) in said
    assert f"{field}: " in said
    assert problem in said


def test_hours_without_quotes_are_not_taken_for_something_else(tmp_path: Path) -> None:
    """An unquoted 22:00, which YAML reads as a number, is rejected."""
    text = dumped(GOOD).replace("'22:00'", "22:00")
    with pytest.raises(SettingsError, match="in quotes"):
        load_playbook(written(tmp_path, text))


def test_an_entry_that_stands_twice(tmp_path: Path) -> None:
    """A repeated entry is rejected, because YAML would silently use the second."""
    text = dumped(GOOD) + "currency: EUR\n"
    with pytest.raises(SettingsError, match="currency: stands twice, on line 34") as caught:
        load_playbook(written(tmp_path, text))
    assert f"playbook.yaml:{len(text.splitlines())}: " in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "just words", "a: [1", "{[a]: 1}", "<<: {a: 1}"])
def test_a_file_that_is_no_playbook(tmp_path: Path, content: str) -> None:
    """A file with any other content is rejected with its name."""
    file = written(tmp_path, content)
    with pytest.raises(SettingsError, match=r"playbook\.yaml:1: "):
        load_playbook(file)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    """A file in another encoding is rejected with its name."""
    file = tmp_path / "playbook.yaml"
    file.write_bytes(b"currency: \xff\xfe")
    with pytest.raises(SettingsError, match=r"playbook\.yaml:1: .*UTF-8"):
        load_playbook(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The error for a missing file names the setting."""
    with pytest.raises(SettingsError, match=r"CARELINE_PLAYBOOK: cannot read .*none\.yaml"):
        load_playbook(tmp_path / "none.yaml")
