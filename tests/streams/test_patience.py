"""A role waits for servers that do not answer, says for which, and goes on when they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
import structlog

from streams.errors import InvalidEvent, Unavailable
from streams.patience import FIRST_CONNECTION, FIRST_PAUSE, LONGEST_PAUSE, Patience, pause_after, until


class Server:
    """Answers after so many refusals; ``paused`` are the seconds that passed between the calls."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.paused: list[float] = []
        self.calls = 0

    async def call(self) -> str:
        self.calls += 1
        if self.refusals:
            raise self.refusals.pop(0)
        return "well"

    async def sleep(self, seconds: float) -> None:
        self.paused.append(seconds)

    def patience(self, *, stopping: Callable[[], bool] = lambda: False) -> Patience:
        return Patience(stopping=stopping, sleep=self.sleep, trouble=FIRST_CONNECTION)


async def test_a_server_that_is_late_is_waited_for() -> None:
    """The pauses grow, and end at a few seconds; nothing is wrong any more once it answers."""
    server = Server(*[Unavailable("no")] * 9)
    patience = server.patience()
    assert patience.trouble == FIRST_CONNECTION
    assert await patience.answered(server.call) == "well"
    first, longest = FIRST_PAUSE.total_seconds(), LONGEST_PAUSE.total_seconds()
    assert server.paused == [min(first * 2**attempt, longest) for attempt in range(9)]
    assert patience.trouble is None


async def test_what_it_waits_for_is_said_meanwhile_and_logged_once() -> None:
    """An operator reads the reason in /readyz, and a log of an hour's outage has one line of each reason."""
    server = Server(*[Unavailable("Kafka")] * 3, *[Unavailable("the registry")] * 2)
    said: list[str | None] = []
    patience = server.patience()

    async def call() -> str:
        said.append(patience.trouble)
        return await server.call()

    with structlog.testing.capture_logs() as logs:
        await patience.answered(call)
    assert said == [FIRST_CONNECTION, *["Kafka"] * 3, *["the registry"] * 2]
    assert [line["why"] for line in logs] == ["Kafka", "the registry"]


async def test_a_service_that_stops_waits_no_longer() -> None:
    """A role ends within its time although a server is away."""
    server = Server(*[Unavailable("no")] * 100)
    assert await server.patience(stopping=lambda: server.calls >= 3).answered(server.call) is None
    assert server.calls == 3


async def test_what_no_server_can_mend_is_raised() -> None:
    """A fault of ours is not waited for."""
    server = Server(InvalidEvent("field", "is wrong"))
    with pytest.raises(InvalidEvent):
        await server.patience().answered(server.call)
    assert server.paused == []


async def test_it_sleeps_by_itself() -> None:
    """Without a service that sleeps, on the event loop."""
    server = Server(Unavailable("no"))
    async with asyncio.timeout(5):
        assert await Patience(stopping=lambda: False).answered(server.call) == "well"
    await Patience(stopping=lambda: False).wait("a moment", timedelta())


def test_pauses_double_up_to_the_longest() -> None:
    """Whoever tries again, a worker or a role, waits a little at first, and never long after the server is back."""
    first, longest = timedelta(seconds=1), timedelta(seconds=30)
    pauses = [
        pause_after(number, first=first, longest=longest).total_seconds() for number in (1, 2, 3, 4, 5, 6, 7, 10**9)
    ]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_what_comes_about_is_seen_soon() -> None:
    """A topic that the brokers hear of a moment later."""
    looks = iter((False, False, True))

    async def met() -> bool:
        return next(looks)

    await until(met, within=timedelta(seconds=5), every=timedelta(milliseconds=1))
    assert next(looks, None) is None


async def test_what_never_comes_about_is_given_up() -> None:
    """After its time, and not before it was looked for."""

    async def met() -> bool:
        return False

    with pytest.raises(TimeoutError):
        await until(met, within=timedelta(milliseconds=20), every=timedelta(milliseconds=1))
