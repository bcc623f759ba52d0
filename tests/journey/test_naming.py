"""Names that are composed of parts can be parsed again."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.journey.naming import about, again, is_of, journey_about, kind_of, numbered, policy_of, says
from tests.test_architecture import ROOT

kinds = st.sampled_from(["notice", "gesture", "over", "over_budget", "recover", "update"])
numbers = st.integers(0, 10_000)


@given(kinds, numbers)
def test_an_occasion_tells_its_kind(kind: str, number: int) -> None:
    """The kind of an occasion is known whatever its number."""
    assert kind_of(numbered(kind, number)) == kind_of(again(kind, number)) == kind_of(kind) == kind


@given(kinds, kinds, numbers)
def test_a_letter_told_once_more_is_of_its_step_alone(kind: str, other: str, number: int) -> None:
    """`recover-again-1` is a resend of `recover`, and `recover-1` is an occasion of its own."""
    assert is_of(again(kind, number), other) == is_of(kind, other) == (kind == other)
    assert not is_of(numbered(kind, number), kind)


@given(kinds, st.text())
def test_a_journey_tells_what_it_is_about(kind: str, name: str) -> None:
    """The name of a thing may contain anything, including slashes."""
    assert about(journey_about(kind, name)) == (kind, name)


def test_a_letter_tells_its_policy_and_what_it_says() -> None:
    """A letter's name contains its policy and its content."""
    assert (policy_of("delay_care/notice"), says("delay_care/notice")) == ("delay_care", "notice")


@pytest.mark.parametrize("field", ["occasion", "journey_id", "outcome", "refused", "template"])
def test_nobody_else_takes_them_apart(field: str) -> None:
    """No other module of the core and the policies parses these names."""
    found = []
    for folder in ("processors/journey", "processors/policies"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name in ("naming.py", "refusals.py") or "tests" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and node.attr in ("startswith", "removeprefix", "partition", "rpartition", "split")
                    and (field in ast.unparse(node.value).replace("(", ".").split("."))
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert found == []
