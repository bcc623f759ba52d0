"""A score that is not on its scale is told to whoever gives it, and no reader takes it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

import schemas
from processors.cli import app
from streams.errors import InvalidEvent
from streams.events import FeedbackGiven, FeedbackKind
from streams.events.scores import SCALES, on_its_scale
from streams.publishing.validation import check_outgoing, check_touchpoint
from tests.streams.given import EVENT_ID, NOON

CSAT, NPS, CES = FeedbackKind.CSAT, FeedbackKind.NPS, FeedbackKind.CES
OFF = [(CSAT, 0), (CSAT, 6), (CSAT, -1), (NPS, -1), (NPS, 11), (CES, 0), (CES, 8), (CES, 100), (NPS, (1 << 31) - 1)]
ON = [(CSAT, 1), (CSAT, 5), (NPS, 0), (NPS, 10), (CES, 1), (CES, 7)]


def given(kind: FeedbackKind, score: int | None) -> FeedbackGiven:
    return FeedbackGiven(
        event_id=EVENT_ID, customer_id="ana", occurred_at=NOON, source="survey", feedback_id="f", kind=kind, score=score
    )


@pytest.mark.parametrize("check", [check_outgoing, check_touchpoint])
@pytest.mark.parametrize(("kind", "score"), OFF)
def test_a_score_off_its_scale_is_refused(check: Any, kind: FeedbackKind, score: int) -> None:
    """At the publisher and at every reader; the field is named, with the scale."""
    lowest, highest = SCALES[kind]
    with pytest.raises(InvalidEvent) as refused:
        check(given(kind, score), now=NOON)
    assert refused.value.field == "score"
    assert str(score) in refused.value.problem
    assert f"{kind.value} score, which is from {lowest} to {highest}" in refused.value.problem


@pytest.mark.parametrize("check", [check_outgoing, check_touchpoint])
@pytest.mark.parametrize(("kind", "score"), [*ON, *((kind, None) for kind in FeedbackKind), (FeedbackKind.STORY, 99)])
def test_a_score_on_its_scale_is_taken(check: Any, kind: FeedbackKind, score: int | None) -> None:
    """Both ends of each; so is an answer without a score, and one of a kind that has no scale."""
    check(given(kind, score), now=NOON)


def test_the_scales_are_those_of_the_contract() -> None:
    """What is refused is what the schema's documentation says."""
    doc = next(
        one["doc"] for one in schemas.latest("careline.touchpoint.FeedbackGiven")["fields"] if one["name"] == "score"
    )
    told = {kind: (int(low), int(high)) for kind, low, high in re.findall(r"([A-Z]+) (\d+) to (\d+)", doc)}
    assert told == {kind.value: scale for kind, scale in SCALES.items()}
    assert all(on_its_scale(CSAT, one) for one in (1, 5, None))


@pytest.mark.parametrize(("kind", "score"), OFF[:-1])
def test_careline_publish_names_the_score(kind: FeedbackKind, score: int) -> None:
    """The line is refused with the field, and nothing of it is published."""
    line = {"type": "FeedbackGiven", "customer_id": "ana", "source": "s", "feedback_id": "f"}
    line |= {"kind": kind.value, "score": score}
    said = CliRunner().invoke(app, ["publish", "--dry-run", "-"], input=json.dumps(line))
    assert said.exit_code == 1
    assert f"line 1: score: {score} is not a {kind.value} score" in said.output
