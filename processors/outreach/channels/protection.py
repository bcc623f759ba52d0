"""Protects providers: a rate limit, and a circuit breaker that opens after repeated failures."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from aiolimiter import AsyncLimiter

from processors.outreach import metrics
from processors.outreach.channels import Channel, Letter, Receipt
from processors.outreach.errors import Ambiguous, CircuitOpen, NotNow, RateLimited, Refused, TryLater
from streams import durations

_APART = timedelta(milliseconds=5)  # about the interval at which letters leave anyway


@dataclass(frozen=True, slots=True)
class Rate:
    """``letters`` in each ``period``, spread evenly: a burst is at most one second's share, or one letter."""

    letters: int
    period: timedelta

    @classmethod
    def parse(cls, text: str) -> Self:
        """``600/m``: letters a second (``s``), minute (``m``) or hour (``h``). Raises ValueError."""
        found = re.fullmatch(r"([1-9]\d{0,6})/([smh])", text)
        if found is None:
            raise ValueError(f"{text!r} is not a rate; write 10/s, 600/m or 5000/h")
        return cls(int(found[1]), durations.parse(f"1{found[2]}"))

    @property
    def a_second(self) -> float:
        """Letters a second."""
        return self.letters / self.period.total_seconds()


@dataclass(frozen=True, slots=True)
class Threshold:
    """``failures`` in a row open a circuit for ``pause``."""

    failures: int
    pause: timedelta


class Breaker:
    """A circuit breaker. Pure: the time is an argument.

    While it is closed, every call passes. ``failures`` in a row open it, and no call passes. After the pause one trial
    call passes: its success closes the circuit, its failure opens it for another pause.
    """

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._failures = 0
        self._until: datetime | None = None
        self._trying = False
        self._turned_away = 0  # calls, since it opened

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open, or a trial call is being made."""
        return self._until is not None

    @property
    def at_rest(self) -> bool:
        """Whether there is nothing to remember: the circuit is closed and the last call succeeded."""
        return self._until is None and not self._failures

    def wait(self, now: datetime) -> timedelta | None:
        """None if the caller may call, and must then report the result. Else how long to wait; each caller gets a
        different time, so that they do not all retry at the same moment."""
        if self._until is None:
            return None
        if now >= self._until and not self._trying:
            self._trying = True
            return None
        self._turned_away += 1
        return max(self._until - now, self._threshold.pause / 10) + self._turned_away * _APART

    def succeeded(self) -> None:
        """The provider answered."""
        self._failures, self._until, self._trying = 0, None, False

    def failed(self, now: datetime) -> None:
        """The provider could not be reached, or its answer was lost."""
        self._failures += 1
        if self._trying or (self._until is None and self._failures >= self._threshold.failures):
            self._until, self._trying, self._turned_away = now + self._threshold.pause, False, 0

    def given_up(self) -> None:
        """We gave up the call: it says nothing about the provider."""
        self._trying = False


class ProtectedChannel:
    """A channel behind a rate limit and circuit breakers; otherwise it behaves like the channel.

    An open circuit raises CircuitOpen; a letter that would wait for the rate limit longer than ``patience`` raises
    RateLimited with the time until its turn. In both cases the provider is not called. So a provider with a low rate
    delays other providers only by the few letters whose turn is near.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        clock: Callable[[], datetime],
        threshold: Threshold,
        rate: Rate | None = None,
        part: Callable[[Letter], str] = lambda _: "",
        patience: timedelta | None = timedelta(seconds=1),
    ) -> None:
        """``part``: the part of the provider that a letter goes to, such as the host of a webhook; each has its own
        circuit. ``patience`` None: every letter waits for its turn, however long that takes."""
        self._channel = channel
        self._clock = clock
        self._threshold = threshold
        self._part = part
        self._breakers: dict[str, Breaker] = {}
        self._open: set[str] = set()
        self._queue = None if rate is None else _Queue(rate, patience)
        metrics.CIRCUITS_OPEN.labels(provider=self.provider).set(0)

    @property
    def provider(self) -> str:
        """The channel's."""
        return self._channel.provider

    @property
    def idempotent(self) -> bool:
        """The channel's."""
        return self._channel.idempotent

    async def send(self, letter: Letter) -> Receipt:
        """Hand the letter over when its turn comes. See Channel.send; CircuitOpen and RateLimited are TryLater."""
        part = self._part(letter)
        breaker = self._breakers.get(part) or self._breakers.setdefault(part, Breaker(self._threshold))
        wait = breaker.wait(self._clock())
        if wait is not None:
            raise CircuitOpen(f"the circuit of {self.provider} is open after repeated failures", retry_after=wait)
        try:
            if self._queue is not None:
                await self._queue.turn(self.provider)
            receipt = await self._channel.send(letter)
        except (RateLimited, NotNow):
            breaker.given_up()
            raise
        except (TryLater, Ambiguous) as error:
            if isinstance(error, TryLater) and error.answered:
                breaker.succeeded()
            else:
                breaker.failed(self._clock())
            raise
        except Refused:
            breaker.succeeded()
            raise
        except Exception:  # one that a channel must not raise
            breaker.failed(self._clock())
            raise
        except BaseException:
            breaker.given_up()
            raise
        else:
            breaker.succeeded()
            return receipt
        finally:
            self._remember(part, breaker)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    def _remember(self, part: str, breaker: Breaker) -> None:
        if breaker.at_rest:
            self._breakers.pop(part, None)
        else:
            self._breakers[part] = breaker
        if breaker.is_open != (part in self._open):
            (self._open.add if breaker.is_open else self._open.discard)(part)
            metrics.CIRCUITS_OPEN.labels(provider=self.provider).set(len(self._open))


class _Queue:
    """A queue at a limited rate: a letter waits for a near turn, and gets a time to retry for a later one."""

    def __init__(self, rate: Rate, patience: timedelta | None) -> None:
        self._a_second = rate.a_second
        burst = max(1.0, rate.a_second)
        self._limiter = AsyncLimiter(burst, burst / rate.a_second)
        self._patience = None if patience is None else patience.total_seconds()
        self._near = 0 if self._patience is None else max(1, int(rate.a_second * self._patience))
        self._waiting = 0
        self._next = 0.0  # on the loop's clock: the first turn not yet given out to a letter that must retry

    async def turn(self, provider: str) -> None:
        """Wait for a turn within ``patience``. Raises RateLimited with the time until the turn if it is later."""
        if self._patience is None:
            await self._limiter.acquire()
            return
        if self._waiting < self._near:
            self._waiting += 1
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._patience):
                        await self._limiter.acquire()
                    return
            finally:
                self._waiting -= 1
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now + self._patience) + 1 / self._a_second
        raise RateLimited(
            f"the rate limit of {provider} is {self._a_second:g} letters a second",
            retry_after=timedelta(seconds=self._next - now),
        )
