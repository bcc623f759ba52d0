"""The scales that customers score on: CSAT 1 to 5, NPS 0 to 10, CES 1 to 7."""

from __future__ import annotations

from collections.abc import Mapping

from streams.events.types import FeedbackKind

SCALES: Mapping[FeedbackKind, tuple[int, int]] = {
    FeedbackKind.CSAT: (1, 5),
    FeedbackKind.NPS: (0, 10),
    FeedbackKind.CES: (1, 7),
}
"""The lowest and the highest score of each kind; other kinds have words and no scale."""


def on_its_scale(kind: FeedbackKind, score: int | None) -> bool:
    """Whether a score of that kind can have been given; none at all can, and so can any where there is no scale."""
    scale = SCALES.get(kind)
    return score is None or scale is None or scale[0] <= score <= scale[1]
