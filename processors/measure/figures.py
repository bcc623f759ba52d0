"""Computes the figures from rows. Pure. Rows may be repeated and in any order; the figures are the same."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.events import FeedbackKind
from streams.events.scores import SCALES

HOUR = timedelta(hours=1)
UNKNOWN = "unknown"
"""The policy of a letter whose decision is no longer, or not yet, known."""

_LOWEST, _HIGHEST = SCALES[FeedbackKind.CSAT]
_T_95 = (math.nan, 12.706, 4.303, 3.182, 2.776)  # by degrees of freedom; beyond, the series below is exact to 0.01
_Z_95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An outreach that was sent. ``customer`` is a digest of the customer's id."""

    outreach_id: str
    customer: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A customer's score from 1 to 5, recognised by ``answer_id``. ``customer`` is a digest of the customer's id."""

    answer_id: str
    customer: str
    score: int
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction:
    """Mean CSAT of ``answers`` answers, with its 95 % interval (Student's t, within 1 to 5).

    ``mean`` is None without an answer, the interval with fewer than two. If all scores are the same, its width is zero:
    that shows that they do not differ, not how certain the mean is.
    """

    answers: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Letters by policy and hour of sending (UTC), and customers' satisfaction.

    An answer counts towards customers who were written to if a letter had been sent to them before they answered.
    """

    letters: Mapping[tuple[str, datetime], int]
    redeemed: Mapping[str, int]
    """Redeemed gestures by policy."""
    written_to: Satisfaction
    not_written_to: Satisfaction

    def letters_by_policy(self) -> dict[str, int]:
        """Letters by policy, over all hours."""
        total: Counter[str] = Counter()
        for (policy, _), count in self.letters.items():
            total[policy] += count
        return dict(total)

    def as_data(self) -> dict[str, Any]:
        """The figures for JSON, with hours in ISO 8601, oldest first."""
        return {
            "letters": [
                {"policy": policy, "hour": hour.isoformat(), "letters": count}
                for (policy, hour), count in sorted(self.letters.items(), key=lambda item: item[0][::-1])
            ],
            "redeemed": dict(sorted(self.redeemed.items())),
            "satisfaction": {
                group: {"answers": one.answers, "mean": one.mean, "low": one.low, "high": one.high}
                for group, one in (("written_to", self.written_to), ("not_written_to", self.not_written_to))
            },
        }


def hour_of(moment: datetime) -> datetime:
    """The start of the moment's hour (UTC)."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def figures(
    *, policies: Mapping[str, str], letters: Iterable[Letter], answers: Iterable[Answer], redeemed: Iterable[str] = ()
) -> Figures:
    """The figures of these rows. ``policies``: outreach id -> the policy that requested it; ``redeemed``: outreach ids.

    A letter or an answer that appears more than once, with different times, counts once, at its earliest time.
    """
    first_letters: dict[str, Letter] = {}
    first_written: dict[str, datetime] = {}
    for letter in letters:
        known = first_letters.get(letter.outreach_id)
        if known is None or letter.sent_at < known.sent_at:
            first_letters[letter.outreach_id] = letter
        first_written[letter.customer] = min(letter.sent_at, first_written.get(letter.customer, letter.sent_at))
    first_answers: dict[str, Answer] = {}
    for answer in answers:
        given = first_answers.get(answer.answer_id)
        if given is None or (answer.answered_at, answer.score) < (given.answered_at, given.score):
            first_answers[answer.answer_id] = answer
    scores: dict[bool, list[int]] = {True: [], False: []}
    for answer in first_answers.values():
        written = first_written.get(answer.customer)
        scores[written is not None and written < answer.answered_at].append(answer.score)
    counted = Counter(
        (policies.get(letter.outreach_id, UNKNOWN), hour_of(letter.sent_at)) for letter in first_letters.values()
    )
    return Figures(
        letters=dict(counted),
        redeemed=dict(Counter(policies.get(outreach, UNKNOWN) for outreach in set(redeemed))),
        written_to=satisfaction(scores[True]),
        not_written_to=satisfaction(scores[False]),
    )


def satisfaction(scores: Iterable[int]) -> Satisfaction:
    """Mean and 95 % interval of scores from 1 to 5."""
    values = sorted(scores)  # so that the same answers give the same last digit
    if not values:
        return Satisfaction(answers=0, mean=None, low=None, high=None)
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Satisfaction(answers=1, mean=mean, low=None, high=None)
    reach = student_t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return Satisfaction(
        answers=len(values), mean=mean, low=max(_LOWEST, mean - reach), high=min(_HIGHEST, mean + reach)
    )


def student_t(freedom: int) -> float:
    """The two-sided 95 % quantile of Student's t for ``freedom`` >= 1 degrees of freedom (Cornish-Fisher)."""
    if freedom < len(_T_95):
        return _T_95[freedom]
    z = _Z_95
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
