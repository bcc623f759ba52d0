"""A partition's deadlines: one per key, the earliest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.processor.deadlines import Deadlines, SetLate


def of(**due: int) -> Deadlines:
    """Return deadlines that were set in this order."""
    wakes = Deadlines()
    for key, millis in due.items():
        wakes.set(key, millis)
    return wakes


def test_the_earliest_first() -> None:
    """Deadlines fire in the order of their times, and of their keys at the same time."""
    wakes = of(c=20, b=10, a=20, d=30)
    assert [wakes.pop_due(100) for _ in range(5)] == [(10, "b"), (20, "a"), (20, "c"), (30, "d"), None]


def test_only_what_is_due() -> None:
    """A deadline fires at its time and not before."""
    wakes = of(a=10)
    assert wakes.pop_due(9) is None
    assert wakes.pop_due(10) == (10, "a")


def test_the_last_word_counts() -> None:
    """Setting a key's deadline again replaces it, whether it is earlier or later."""
    wakes = of(a=10, b=20)
    wakes.set("a", 30)
    wakes.set("b", 5)
    assert [wakes.pop_due(100) for _ in range(3)] == [(5, "b"), (30, "a"), None]


def test_taken_back() -> None:
    """A key whose deadline was removed does not fire."""
    wakes = of(a=10)
    wakes.set("a", None)
    wakes.set("never", None)
    assert (wakes.next(), wakes.due("a"), len(wakes)) == (None, None, 0)


def test_set_to_the_same_again() -> None:
    """A deadline that is changed and changed back fires once."""
    wakes = of(a=10)
    wakes.set("a", 20)
    wakes.set("a", 10)
    assert [wakes.pop_due(100) for _ in range(2)] == [(10, "a"), None]


def test_keys_in_an_order_of_their_own() -> None:
    """The keys are sorted, in whatever order they were set."""
    assert of(b=1, a=2).keys() == of(a=2, b=1).keys() == ["a", "b"]


words = st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 9))


@given(st.lists(words, max_size=40), st.integers(0, 10))
def test_as_if_there_were_only_a_table(said: list[tuple[str, int | None]], until: int) -> None:
    """For any changes, the deadlines behave like a table of the latest values."""
    wakes, table = Deadlines(), dict[str, int]()
    for key, millis in said:
        wakes.set(key, millis)
        table.pop(key, None)
        if millis is not None:
            table[key] = millis
        assert wakes.next() == min(table.values(), default=None)
        assert len(wakes) == len(table)
    fired = []
    while (due := wakes.pop_due(until)) is not None:
        fired.append(due)
    assert fired == sorted((millis, key) for key, millis in table.items() if millis <= until)


@given(st.lists(words, max_size=20), st.lists(words | st.none(), max_size=20))
def test_what_changed_since_the_beginning_can_be_taken_back(
    said: list[tuple[str, int | None]], later: list[tuple[str, int | None] | None]
) -> None:
    """``undo`` restores the deadlines of ``begin``, whatever was set, removed or fired since (None: the due ones
    fire)."""
    wakes = Deadlines()
    for key, millis in said:
        wakes.set(key, millis)
    before = {key: wakes.due(key) for key in wakes.keys()}  # noqa: SIM118
    wakes.begin()
    for word in later:
        if word is None:
            wakes.pop_due(5)
        else:
            wakes.set(*word)
    wakes.undo()
    assert {key: wakes.due(key) for key in wakes.keys()} == before  # noqa: SIM118
    assert wakes.next() == min((due for due in before.values() if due is not None), default=None)


def test_a_deadline_that_was_due_when_it_was_set_waits_from_then_on() -> None:
    """An event that comes late has deadlines of long ago: they fire at once, and nobody says that they are late."""
    late = SetLate()
    late.follow("ana", 1_000, 9_000)
    late.follow("ben", 9_500, 9_000)
    assert (late.due("ana", 1_000), late.due("ben", 9_500)) == (9_000, 9_500)
    assert late.due("ana", 1_000) == 1_000, "it is known once"


def test_a_deadline_that_is_moved_is_late_again() -> None:
    """Only the deadline in force counts."""
    late = SetLate()
    late.follow("ana", 1_000, 9_000)
    late.follow("ana", 9_100, 9_050)
    late.follow("ben", 1_000, 9_000)
    late.follow("ben", None, 9_050)
    assert (late.due("ana", 9_100), late.due("ben", 9_200)) == (9_100, 9_200)
