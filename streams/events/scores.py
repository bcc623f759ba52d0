"""The scales of customer scores: CSAT 1 to 5, NPS 0 to 10, CES 1 to 7."""

from __future__ import annotations

from collections.abc import Mapping

from streams.events.types import FeedbackKind

SCALES: Mapping[FeedbackKind, tuple[int, int]] = {
    FeedbackKind.CSAT: (1, 5),
    FeedbackKind.NPS: (0, 10),
    FeedbackKind.CES: (1, 7),
}
"""The lowest and the highest score of each kind; other kinds have no score."""


def on_its_scale(kind: FeedbackKind, score: int | None) -> bool:
    """Return whether the score is valid for its kind; None is, and so is any score of a kind without a scale."""
    scale = SCALES.get(kind)
    return score is None or scale is None or scale[0] <= score <= scale[1]
