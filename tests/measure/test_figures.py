"""What the figures say of given rows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from processors.measure.figures import Answer, Figures, Letter, Satisfaction, figures, satisfaction, student_t

NOON = datetime(2013, 2, 8, 12, tzinfo=UTC)


def letter(number: int, customer: str, minutes: int) -> Letter:
    return Letter(outreach_id=f"letter-{number}", customer=customer, sent_at=NOON + timedelta(minutes=minutes))


def answer(number: int, customer: str, score: int, minutes: int) -> Answer:
    at = NOON + timedelta(minutes=minutes)
    return Answer(answer_id=f"answer-{number}", customer=customer, score=score, answered_at=at)


POLICIES = {"letter-1": "delay_care", "letter-2": "delay_care", "letter-3": "mention_reply"}
LETTERS = [letter(1, "anna", 0), letter(2, "anna", 59), letter(3, "ben", 60)]
ANSWERS = [answer(1, "anna", 5, 30), answer(2, "ben", 2, 30), answer(3, "carla", 3, 30), answer(4, "ben", 4, 90)]


def test_letters_are_counted_by_policy_and_hour() -> None:
    """11:59 and 12:00 are two hours; 12:00 and 12:59 are one."""
    found = figures(policies=POLICIES, letters=LETTERS, answers=[])
    assert found.letters == {("delay_care", NOON): 2, ("mention_reply", NOON + timedelta(hours=1)): 1}
    assert found.letters_by_policy() == {"delay_care": 2, "mention_reply": 1}


def test_a_letter_without_its_decision_is_still_counted() -> None:
    """A decision may arrive later than the letter; until then its policy is unknown."""
    found = figures(policies={}, letters=LETTERS[:1], answers=[])
    assert found.letters_by_policy() == {"unknown": 1}


def test_who_answered_before_the_first_letter_was_not_written_to() -> None:
    """A letter can't have pleased those who answered before it left."""
    found = figures(policies=POLICIES, letters=LETTERS, answers=ANSWERS)
    assert found.written_to.answers == 2
    assert found.written_to.mean == 4.5
    assert found.not_written_to.answers == 2
    assert found.not_written_to.mean == 2.5


@pytest.mark.parametrize("seed", range(5))
def test_rows_that_come_again_in_another_order_change_nothing(seed: int) -> None:
    """Redelivery is ordinary; the figures do not notice."""
    chance = random.Random(seed)
    letters, answers = LETTERS * 3, ANSWERS * 2
    chance.shuffle(letters)
    chance.shuffle(answers)
    assert figures(policies=POLICIES, letters=letters, answers=answers) == figures(
        policies=POLICIES, letters=LETTERS, answers=ANSWERS
    )


def test_a_letter_in_two_hours_counts_in_the_first() -> None:
    """The same letter reported twice, with two times, is one letter."""
    again = Letter(outreach_id="letter-1", customer="anna", sent_at=NOON + timedelta(hours=5))
    assert figures(policies=POLICIES, letters=[again, LETTERS[0]], answers=[]).letters == {("delay_care", NOON): 1}


def test_without_answers_there_is_no_mean() -> None:
    """Nobody asked is not the same as nobody satisfied."""
    assert satisfaction([]) == Satisfaction(answers=0, mean=None, low=None, high=None)


def test_one_answer_has_no_interval() -> None:
    """One voice says nothing of how much they differ."""
    assert satisfaction([4]) == Satisfaction(answers=1, mean=4, low=None, high=None)


def test_the_interval_is_students() -> None:
    """Mean 4.1, deviation 0.8756, ten answers: 4.1 +- 2.262 * 0.8756 / sqrt(10)."""
    found = satisfaction([5, 4, 3, 5, 4, 3, 5, 4, 3, 5])
    assert found.mean == pytest.approx(4.1)
    assert found.low == pytest.approx(4.1 - 0.6263, abs=0.001)
    assert found.high == pytest.approx(4.1 + 0.6263, abs=0.001)


def test_the_interval_stays_on_the_scale() -> None:
    """Nobody is more satisfied than 5."""
    found = satisfaction([1, 5])
    assert (found.low, found.high) == (1, 5)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.706), (2, 4.303), (4, 2.776), (5, 2.571), (9, 2.262), (30, 2.042), (120, 1.980), (100_000, 1.960)],
)
def test_students_t_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    """Within a hundredth of the printed tables."""
    assert student_t(freedom) == pytest.approx(quantile, abs=0.01)


def test_figures_are_readable_as_data() -> None:
    """Hours oldest first, as text."""
    found: Figures = figures(policies=POLICIES, letters=LETTERS[::-1], answers=ANSWERS)
    data = found.as_data()
    assert data["letters"] == [
        {"policy": "delay_care", "hour": "2013-02-08T12:00:00+00:00", "letters": 2},
        {"policy": "mention_reply", "hour": "2013-02-08T13:00:00+00:00", "letters": 1},
    ]
    assert data["satisfaction"]["written_to"]["answers"] == 2


def test_what_customers_came_back_with_is_counted_by_policy() -> None:
    """Once each, however often it is reported; of an outreach nobody knows any more as well."""
    told = ("letter-1", "letter-1", "letter-3", "letter-9")
    found = figures(policies=POLICIES, letters=LETTERS, answers=(), redeemed=told)
    assert found.as_data()["redeemed"] == {"delay_care": 1, "mention_reply": 1, "unknown": 1}
