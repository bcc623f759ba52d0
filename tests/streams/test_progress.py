"""Health goes by whether a partition gets any further, and blames nobody for what a restart would not mend."""

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
    """A partition that has come to offset 7."""
    seconds = Seconds()
    progress = Progress(seconds=seconds)
    progress.ready = True
    progress.moved(7)
    return progress, seconds


def test_a_partition_that_is_taken_again_and_again_is_not_ready() -> None:
    """Between two failures it looks recovered; it is not worked on before it gets further."""
    progress, _ = at_work()
    progress.failed("MessageSizeTooLargeError()")
    assert progress.waiting_for() == "worked on, but it does not get past offset 7: MessageSizeTooLargeError()"
    progress.moved(8)
    assert progress.waiting_for() is None


def test_a_partition_that_gets_no_further_is_stuck() -> None:
    """After the stated time, with the offset and the reason."""
    progress, seconds = at_work()
    progress.failed("it says no")
    seconds.now = 119
    assert progress.stuck(AFTER) is None
    seconds.now = 121
    assert progress.stuck(AFTER) == "has not got past offset 7 for 121 s: it says no"


def test_brokers_that_do_not_answer_are_no_fault_of_the_worker() -> None:
    """Nor is recovering, nor calls that are under way: a restart would mend nothing."""
    progress, seconds = at_work()
    seconds.now = 100
    progress.not_stuck()
    seconds.now = 200
    assert progress.stuck(AFTER) is None


def test_an_idle_partition_is_well() -> None:
    """After a failure with nothing left to handle it is as good as one that got further."""
    progress, _ = at_work()
    progress.failed("once")
    progress.well()
    assert (progress.waiting_for(), progress.failures) == (None, 0)


def test_a_partition_that_is_being_recovered_is_waited_for() -> None:
    """Before its first transaction."""
    assert Progress().waiting_for() == "recovered"
