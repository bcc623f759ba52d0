"""A drive's table says what went wrong, and one fault that cannot be carried out does not end the drive."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos import __main__ as drive
from tests.chaos.faults import FAULTS, Arena, Outcome
from tests.chaos.summary import row_of
from tests.chaos.verdict import Verdict


def result_of(outcome: Outcome) -> str:
    return row_of("zombie", "a fault", outcome, seconds=1, command="make chaos").result


def test_what_was_not_handled_in_time_is_said_before_what_counts_as_lost() -> None:
    """Records that nobody had handled yet are missing in the count; the reader learns of that first."""
    late = Verdict(late="not everything was handled after 120 s", lost=3)
    assert result_of(Outcome(count=1, verdict=late)) == "not everything was handled after 120 s; 3 lost"
    assert not Verdict(late="not everything was handled after 120 s").clean
    assert result_of(Outcome(count=1, verdict=Verdict())) == "exact"


async def test_a_fault_that_cannot_be_carried_out_is_a_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row names what was waited for in vain, and the drive goes on to the next fault."""

    async def never(_: Arena) -> Outcome:
        raise TimeoutError("the worker did not stop\nits log")

    monkeypatch.setitem(FAULTS, "zombie", never)  # type: ignore[arg-type]
    nothing: Any = None
    outcome = await drive.carried_out("zombie", Arena(stack=nothing, env={}, seed=1))
    assert not outcome.good
    assert result_of(outcome) == "not carried out: TimeoutError the worker did not stop"
