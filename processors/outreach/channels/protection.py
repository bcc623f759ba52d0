"""What stands before a provider: so many letters and no more, and none for a while where it fails again and again."""

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

_APART = timedelta(milliseconds=5)  # as fast as letters leave anyway
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Rate:
    """``letters`` in each ``period``, evenly: no burst is larger than a second's share, or one letter."""

    letters: int
    period: timedelta

    @classmethod
    def parse(cls, text: str) -> Self:
        """``600/m``: so many a second, minute or hour. Raises ValueError."""
        found = re.fullmatch(r"([1-9]\d{0,6})/([smh])", text)
        if found is None:
            raise ValueError(f"{text!r} is not a rate; write 10/s, 600/m or 5000/h")
        return cls(int(found[1]), timedelta(seconds=_SECONDS[found[2]]))

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
    """A circuit breaker, pure: the moment is an argument.

    Closed, it lets every call through. ``failures`` in a row open it, and none gets through. After the pause one call
    is let through to try: it closes the circuit, or opens it for another pause.
    """

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._failures = 0
        self._until: datetime | None = None
        self._trying = False
        self._turned_away = 0  # since it opened

    @property
    def is_open(self) -> bool:
        """Whether the last word was that the provider fails."""
        return self._until is not None

    @property
    def at_rest(self) -> bool:
        """Nothing to remember: closed, and the last call went well."""
        return self._until is None and not self._failures

    def wait(self, now: datetime) -> timedelta | None:
        """None: the caller may call, and says then how it went. Else how long it had better stay away; those who are
        turned away are told different times, so that they do not all come back at once."""
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
        """The call was cut off by us: nothing was learnt."""
        self._trying = False


class ProtectedChannel:
    """A channel behind a rate limit and circuit breakers; in all else the channel itself.

    Neither ever calls the provider in vain: an open circuit is CircuitOpen, a letter whose turn is further away than
    ``patience`` is RateLimited with its place in the queue. So a provider with a low rate holds up others only by the
    few letters whose turn is near.
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
        """``part`` of the provider that a letter goes to: each has a circuit of its own, as the hosts of
        webhooks. ``patience`` None: every letter waits for its turn, however long."""
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
        """Hand the letter over, if its time has come. See Channel.send; CircuitOpen and RateLimited are TryLater."""
        part = self._part(letter)
        breaker = self._breakers.get(part) or self._breakers.setdefault(part, Breaker(self._threshold))
        wait = breaker.wait(self._clock())
        if wait is not None:
            raise CircuitOpen(f"{self.provider} failed again and again and is left alone", retry_after=wait)
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
        except Exception:  # none that a channel may raise
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
    """Turns at a rate: near ones are waited for, further ones are given out as a time to come back."""

    def __init__(self, rate: Rate, patience: timedelta | None) -> None:
        self._a_second = rate.a_second
        burst = max(1.0, rate.a_second)
        self._limiter = AsyncLimiter(burst, burst / rate.a_second)
        self._patience = None if patience is None else patience.total_seconds()
        self._near = 0 if self._patience is None else max(1, int(rate.a_second * self._patience))
        self._waiting = 0
        self._next = 0.0  # on the loop's clock: the first turn that nobody was sent away to

    async def turn(self, provider: str) -> None:
        """Wait for a turn that is near. Raises RateLimited with the time to the turn if it is not."""
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
            f"{provider} gets {self._a_second:g} letters a second and no more",
            retry_after=timedelta(seconds=self._next - now),
        )
