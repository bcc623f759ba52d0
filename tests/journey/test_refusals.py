"""The stored refusal of a letter about a wait."""

from __future__ import annotations

import ast
from pathlib import Path

from processors.journey import refusals
from processors.journey.refusals import Refusal, refusal_of, refused
from streams.events import Delay, replace
from tests.journey.given import NOON, delay, given, profile

ROOT = Path(refusals.__file__).parents[2]


def wait() -> Delay:
    """Return a wait without a letter."""
    return given(profile(), delay(minutes=10)).known.delays[0]


def test_it_says_which_letter_and_why() -> None:
    """A refusal or hold is stored with its occasion and reason."""
    for refusal in (Refusal("notice", "below_threshold"), Refusal("revised-2", "quiet_hours"), Refusal("over-1", "")):
        kept = refused(wait(), refusal, held_until=NOON)
        assert (refusal_of(kept), kept.held_until) == (refusal, NOON)


def test_nothing_was_refused() -> None:
    """After a letter there is no refusal."""
    assert refusal_of(replace(wait(), refused=None)) is None


def test_states_of_earlier_versions_are_understood() -> None:
    """The text has the form of all versions of the state: occasion, colon, reason."""
    assert refusal_of(replace(wait(), refused="notice:gave_way")) == Refusal("notice", "gave_way")


def test_the_text_is_read_in_one_place() -> None:
    """No other module parses the text of a refusal."""
    found = set()
    for package in ("journey", "view"):
        for file in (ROOT / "processors" / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr == "refused":
                    found.add(file.name)
    assert found == {"refusals.py"}
