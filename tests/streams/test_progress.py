"""Health checks depend on a partition's progress, and report nothing that a restart would not help."""

from __future__ import annotations

from datetime import timedelta

from streams.processor.progress import Progress

AFTER = timedelta(minutes=2)


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def at_work() -> tuple[Progress, Seconds]:
    """Return the progress of a partition at offset 7."""
    seconds = Seconds()
    progress = Progress(seconds=seconds)
    progress.ready = True
    progress.moved(7)
    return progress, seconds


def test_a_partition_that_is_taken_again_and_again_is_not_ready() -> None:
    """After a failure a partition is not ready until it makes progress."""
    progress, _ = at_work()
    progress.failed("MessageSizeTooLargeError()")
    assert progress.waiting_for() == "worked on, but it does not get past offset 7: MessageSizeTooLargeError()"
    progress.moved(8)
    assert progress.waiting_for() is None


def test_a_partition_that_gets_no_further_is_stuck() -> None:
    """A partition without progress counts as stuck after the limit, with its offset and the reason."""
    progress, seconds = at_work()
    progress.failed("it says no")
    seconds.now = 119
    assert progress.stuck(AFTER) is None
    seconds.now = 121
    assert progress.stuck(AFTER) == "has not got past offset 7 for 121 s: it says no"


def test_brokers_that_do_not_answer_are_no_fault_of_the_worker() -> None:
    """A partition that recovers, or waits for brokers or effects, does not count as stuck."""
    progress, seconds = at_work()
    seconds.now = 100
    progress.not_stuck()
    seconds.now = 200
    assert progress.stuck(AFTER) is None


def test_an_idle_partition_is_well() -> None:
    """A partition with nothing left to handle counts as healthy after a failure."""
    progress, _ = at_work()
    progress.failed("once")
    progress.well()
    assert (progress.waiting_for(), progress.failures) == (None, 0)


def test_a_partition_that_is_being_recovered_is_waited_for() -> None:
    """Before its recovery a partition is not ready."""
    assert Progress().waiting_for() == "recovered"
