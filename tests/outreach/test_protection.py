"""A provider is not given more than it takes, and left alone while it fails."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import timedelta
from typing import Any

import pytest

from processors.outreach import metrics
from processors.outreach.channels import Letter
from processors.outreach.channels.protection import Breaker, ProtectedChannel, Rate, Threshold
from processors.outreach.channels.recording import RecordingChannel
from processors.outreach.errors import Ambiguous, CircuitOpen, RateLimited, Refused, TryLater
from tests.outreach.given import NOON, letter

THREE = Threshold(failures=3, pause=timedelta(seconds=30))
DOWN = TryLater("cannot be reached")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> Any:
        return self.now


def protected(channel: RecordingChannel, **options: Any) -> tuple[ProtectedChannel, Clock]:
    clock = Clock()
    return ProtectedChannel(channel, clock=clock, threshold=options.pop("threshold", THREE), **options), clock


async def outcome(channel: ProtectedChannel, one: Letter | None = None) -> str:
    """What became of a letter, by name."""
    try:
        await channel.send(one or letter())
    except Exception as error:
        return type(error).__name__
    return "sent"


def open_circuits(provider: str = "recording") -> float:
    return metrics.CIRCUITS_OPEN.labels(provider=provider)._value.get()


@pytest.mark.parametrize("failure", [DOWN, Ambiguous("?")])
async def test_after_failures_in_a_row_it_is_left_alone(failure: Exception) -> None:
    """Three, and the fourth letter does not reach it; after the pause one tries, and if that is well, all go."""
    channel = RecordingChannel()
    guarded, clock = protected(channel)
    channel.plan(failure, failure, failure)
    assert [await outcome(guarded) for _ in range(3)] == [type(failure).__name__] * 3
    assert open_circuits() == 1
    with pytest.raises(CircuitOpen) as told:
        await guarded.send(letter())
    assert told.value.retry_after == timedelta(seconds=30.005)
    assert len(channel.calls) == 3
    clock.now += timedelta(seconds=30)
    assert [await outcome(guarded) for _ in range(2)] == ["sent", "sent"]
    assert open_circuits() == 0


async def test_one_that_still_fails_is_left_alone_for_another_pause() -> None:
    """One letter tries, not all that wait."""
    channel = RecordingChannel()
    guarded, clock = protected(channel)
    channel.plan(DOWN, DOWN, DOWN, DOWN)
    for _ in range(3):
        await outcome(guarded)
    clock.now += timedelta(seconds=31)
    assert [await outcome(guarded) for _ in range(3)] == ["TryLater", "CircuitOpen", "CircuitOpen"]
    assert len(channel.calls) == 4


async def test_only_one_letter_tries_at_a_time() -> None:
    """While the first tries, the others stay away."""
    breaker = Breaker(THREE)
    for _ in range(3):
        breaker.failed(NOON)
    later = NOON + timedelta(minutes=1)
    assert breaker.wait(later) is None
    assert breaker.wait(later) == timedelta(seconds=3.005)
    assert breaker.wait(later) == timedelta(seconds=3.01), "not all at once"
    breaker.given_up()
    assert breaker.wait(later) is None


@pytest.mark.parametrize("well", [Refused("no such person"), TryLater("no such mailbox yet", answered=True), None])
async def test_an_answer_is_no_failure(well: Exception | None) -> None:
    """A provider that speaks of one letter is well: the count begins anew."""
    channel = RecordingChannel()
    guarded, _ = protected(channel)
    channel.plan(DOWN, DOWN, well, DOWN, DOWN)
    for _ in range(5):
        await outcome(guarded)
    assert await outcome(guarded) == "sent"


async def test_each_part_has_a_circuit_of_its_own() -> None:
    """A customer's receiver that is down keeps no other customer from theirs."""
    channel = RecordingChannel()
    guarded, _ = protected(channel, part=lambda one: one.address)
    channel.plan(DOWN, DOWN, DOWN)
    for _ in range(3):
        await outcome(guarded, letter(address="down.example"))
    assert await outcome(guarded, letter(address="down.example")) == "CircuitOpen"
    assert await outcome(guarded, letter(address="well.example")) == "sent"
    assert open_circuits() == 1


async def test_a_call_that_is_cut_off_does_not_keep_the_circuit_open() -> None:
    """The letter that tries may be cancelled; the next one tries instead."""
    channel = RecordingChannel()
    guarded, clock = protected(channel)
    channel.plan(DOWN, DOWN, DOWN, asyncio.CancelledError())
    for _ in range(3):
        await outcome(guarded)
    clock.now += timedelta(minutes=1)
    with pytest.raises(asyncio.CancelledError):
        await guarded.send(letter())
    assert await outcome(guarded) == "sent"


async def test_no_more_than_the_rate() -> None:
    """A storm of letters: in one second as many as agreed and one burst; the others are told when to come back."""
    channel = RecordingChannel()
    guarded, _ = protected(channel, rate=Rate.parse("20/s"), patience=timedelta(seconds=0.5))
    began = time.monotonic()
    found = await asyncio.gather(*(outcome(guarded, letter(number)) for number in range(100)))
    took = time.monotonic() - began
    assert took < 1.5
    sent = found.count("sent")
    assert 20 < sent <= 20 + 20 * 0.5 + 1
    assert found.count("RateLimited") == 100 - sent
    assert len(channel.calls) == sent


async def test_those_who_have_to_wait_are_given_turns_one_after_another() -> None:
    """They do not all come back at the same moment."""
    guarded, _ = protected(RecordingChannel(), rate=Rate.parse("60/m"), patience=timedelta(seconds=0.01))
    await guarded.send(letter())
    turns = []
    for _ in range(5):
        with pytest.raises(RateLimited) as told:
            await guarded.send(letter())
        turns.append(told.value.place_in.total_seconds())
    assert [round(later - earlier) for earlier, later in itertools.pairwise(turns)] == [1, 1, 1, 1]
    assert 0.9 < turns[0] < 1.2


async def test_a_full_queue_opens_no_circuit() -> None:
    """Having to wait in line says nothing of the provider."""
    guarded, _ = protected(RecordingChannel(), rate=Rate.parse("1/s"), patience=timedelta(seconds=0.01))
    assert [await outcome(guarded) for _ in range(8)] == ["sent"] + ["RateLimited"] * 7
    assert open_circuits() == 0


@pytest.mark.parametrize(
    ("text", "a_second"), [("10/s", 10), ("600/m", 10), ("36000/h", 10), ("30/h", 30 / 3600), ("1/s", 1)]
)
def test_a_rate_as_people_write_it(text: str, a_second: float) -> None:
    """A second, a minute, an hour."""
    assert Rate.parse(text).a_second == pytest.approx(a_second)


@pytest.mark.parametrize("text", ["", "10", "0/s", "10/d", "-1/s", "1.5/s", "10 / s", "99999999/s"])
def test_what_is_no_rate_is_said(text: str) -> None:
    """With how to write one."""
    with pytest.raises(ValueError, match="600/m"):
        Rate.parse(text)
