"""What is counted of plain Faust is counted right; undisturbed it makes no mistake."""

from __future__ import annotations

import pytest

from deploy.local import Stack
from tests.chaos.faust import FaustFigures, Told, drive, figures

RIGHT = [Told("ana", 0, 0, 1), Told("bea", 1, 0, 1), Told("ana", 2, 1, 2)]
SENT = {"ana": 2, "bea": 1}


def counted(*told: Told) -> tuple[int, int, int, int]:
    """Lost, duplicated, order breaks, wrong states."""
    found = figures(told, SENT, guarantee="at_least_once", kills=1, restarts=0, seconds=1.0)
    return found.lost, found.duplicated, found.order_breaks, found.wrong_states


def test_all_is_well() -> None:
    """Each event once, in order, each customer's count right."""
    assert counted(*RIGHT) == (0, 0, 0, 0)


def test_each_fault_is_counted_as_what_it_is() -> None:
    """Lost, told twice, told behind a later one, counted wrong."""
    first, bea, second = RIGHT
    assert counted(first, bea) == (1, 0, 0, 1)
    assert counted(*RIGHT, second) == (0, 1, 0, 0)
    assert counted(Told("ana", 2, 1, 1), bea, Told("ana", 0, 0, 2)) == (0, 0, 1, 0)
    assert counted(first, bea, Told("ana", 2, 1, 3)) == (0, 0, 0, 1)
    assert counted() == (3, 0, 0, 2)


@pytest.mark.live
async def test_left_in_peace_it_makes_no_mistake(stack: Stack) -> None:
    """So what the drive counts under kills comes from the kills, not from the drive."""
    found = await drive(stack, seed=1, kills=0, guarantee="at_least_once")
    assert isinstance(found, FaustFigures)
    assert found.events > 100
    assert (found.lost, found.duplicated, found.order_breaks, found.wrong_states) == (0, 0, 0, 0)
