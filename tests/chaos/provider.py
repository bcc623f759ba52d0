"""The dispatcher under kills, seen from the provider's side: `python -m tests.chaos.provider --seed 1 --kills 20`.

Requests keep arriving, two workers of the outreach role deliver them and are killed, at the ledger's failpoints and at
random; the provider records every call. At the end each outreach must have exactly one outcome, the same in the
outcomes and the ledger, that agrees with what the customer was shown.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local import Stack
from deploy.local.mail_sink import Mode
from streams.events import OutreachChannel, OutreachFailed, OutreachRequested, OutreachSent, OutreachUncertain
from streams.processor.failpoints import Point
from tests.alone import run_alone
from tests.chaos.crew import Strike, Toll, Worker, endure, supervise
from tests.chaos.receivers import SECRET, Provider, mail_server, receiver
from tests.live.outreach import Surroundings, Told, outreach_requests, publish, told

POINTS = (
    Point.BEFORE_INTENT,
    Point.AFTER_INTENT,
    Point.BEFORE_CALL,
    Point.AFTER_CALL,
    Point.BEFORE_OUTCOME,
    Point.AFTER_OUTCOME,
)
"""Failpoints around a letter's intent, its call and its outcome."""

RATE = 40  # requests a second
_BEAT = 0.5
_WORKERS = ("a", "b")
_CUSTOMERS = 300
_WITHIN = 40  # times that a point is reached in a life before the strike, at most
_LONGEST = 4.0
_IMPATIENT = {"breaker_pause": "1s"}  # circuits open under these faults, and the drive should not wait for them
_SETTLED_WITHIN = 300.0  # s; repeatedly refused letters wait for minutes by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One provider's drive. ``sent`` + ``failed`` + ``uncertain`` + those without an outcome are ``requests``."""

    provider: str
    requests: int
    calls: int
    repeated: int
    """Further calls for the same outreach: retries, and repeats after a crash."""
    sent: int
    failed: int
    uncertain: int
    duplicated: int
    """How often a customer was shown an outreach again."""
    unaccounted: int
    """Outreaches without an outcome, with two, or with a false one."""
    kills: int
    points: dict[str, int]
    """The number of kills by failpoint."""
    seconds: float
    faults: tuple[str, ...]
    """Examples of unaccounted and duplicated outreaches, unrequested ends of workers, missed strikes."""

    @property
    def clean(self) -> bool:
        """Whether nothing was shown twice or is unaccounted for, and the workers ended only as planned."""
        return not self.duplicated and not self.unaccounted and not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFigures:
    """A row for each provider, and their sums."""

    rows: tuple[Row, ...]
    kills: int
    events: int
    """Requests."""
    lost: int
    """Unaccounted."""
    duplicated: int
    uncertain: int

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """The rows with their sums."""
        rows = tuple(rows)
        return cls(
            rows=rows,
            kills=sum(row.kills for row in rows),
            events=sum(row.requests for row in rows),
            lost=sum(row.unaccounted for row in rows),
            duplicated=sum(row.duplicated for row in rows),
            uncertain=sum(row.uncertain for row in rows),
        )

    @property
    def clean(self) -> bool:
        """Whether every row is clean."""
        return all(row.clean for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A provider, and how requests and workers find it."""

    provider: Provider
    channel: OutreachChannel
    address: str
    settings: dict[str, str]


@asynccontextmanager
async def _webhook(seed: int, *, idempotent: bool, calm: bool = False) -> AsyncIterator[Side]:
    async with receiver(idempotent=idempotent, seed=seed, calm=calm) as server:
        yield Side(
            provider=server,
            channel=OutreachChannel.WEBHOOK,
            address=server.url,
            settings={
                "webhook_secret": SECRET,
                "webhook_idempotent": str(idempotent).lower(),
                "webhook_allow": "127.0.0.1",
            }
            | _IMPATIENT,
        )


@asynccontextmanager
async def _mail(seed: int, *, trouble: Mode) -> AsyncIterator[Side]:
    with tempfile.TemporaryDirectory(prefix="careline-mail-") as directory:
        async with mail_server(Path(directory), trouble=trouble, seed=seed) as server:
            yield Side(
                provider=server,
                channel=OutreachChannel.EMAIL,
                address="{customer}@mail.example",
                settings={"smtp_url": server.url} | _IMPATIENT,
            )


PROVIDERS = {
    "webhook, idempotent": lambda seed: _webhook(seed, idempotent=True),
    "webhook, not idempotent": lambda seed: _webhook(seed, idempotent=False),
    "mail, refusing": lambda seed: _mail(seed, trouble=Mode.REFUSE),
    "mail, hanging": lambda seed: _mail(seed, trouble=Mode.HANG),
    "mail, dropping after DATA": lambda seed: _mail(seed, trouble=Mode.DROP_AFTER_DATA),
}
CALM = {
    "webhook, idempotent": lambda seed: _webhook(seed, idempotent=True, calm=True),
    "webhook, not idempotent": lambda seed: _webhook(seed, idempotent=False, calm=True),
}
"""Providers that never fail, so that only the kills can cause errors."""


async def drive(stack: Stack, *, seed: int, kills: int) -> ProviderFigures:
    """Drive every provider, one after another, each with ``kills`` kills at points drawn with ``seed``."""
    return ProviderFigures.of([await drive_one(stack, name, seed=seed, kills=kills) for name in PROVIDERS])


async def drive_one(
    stack: Stack,
    name: str,
    *,
    seed: int,
    kills: int,
    tell: Callable[[str], None] = lambda _: None,
) -> Row:
    """Drive the provider of that name in PROVIDERS with ``kills`` kills."""
    rng = random.Random(f"{seed} {name}")
    return await strike(
        stack, name, PROVIDERS[name](rng.randrange(1 << 30)), _plan(rng, kills), rng=rng, instances=_WORKERS, tell=tell
    )


async def strike(
    stack: Stack,
    name: str,
    opened: AbstractAsyncContextManager[Side],
    strikes: Sequence[Strike],
    *,
    rng: random.Random,
    instances: Sequence[str],
    bug: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Row:
    """One drive with these strikes, with one worker per instance; ``bug`` is planted in all of them."""
    plan, began, toll = deque(strikes), time.monotonic(), Toll()
    requests: list[OutreachRequested] = []
    async with opened as side:
        around = await Surroundings.on(stack, prefix="chaos-provider", **side.settings)
        workers = [Worker(around.env, instance=each, role="outreach", log_level="warning") for each in instances]
        for worker in workers:
            worker.bug = bug
        feeding = asyncio.create_task(_feed(around, side, requests, rng.randrange(1 << 30)))
        try:
            await endure(workers, plan, toll=toll, struck=lambda: tell(f"{name}: {toll.kills} kills"))
            await asyncio.sleep(_BEAT)
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
            found = await _settled(around, requests, workers, toll)
        shown = side.provider.shown(requests)
        return _row(name, requests, side.provider, shown, found, toll, seconds=time.monotonic() - began)


def _plan(rng: random.Random, kills: int) -> list[Strike]:
    """Strikes at the failpoints, each equally often, and strikes at random times, in random order."""
    drawn: list[Strike] = []
    while len(drawn) < kills:
        drawn += [Strike(point, rng.randrange(1, _WITHIN)) for point in rng.sample(POINTS, len(POINTS))]
        drawn += [Strike(after=rng.uniform(0.5, _LONGEST)) for _ in range(2)]
    rng.shuffle(drawn)
    return drawn[:kills]


async def _feed(around: Surroundings, side: Side, requests: list[OutreachRequested], seed: int) -> None:
    """Publish requests, a few at a time, until cancelled; ``requests`` lists those that are certainly published."""
    while True:
        few = outreach_requests(
            int(RATE * _BEAT), customers=_CUSTOMERS, channel=side.channel, address=side.address, seed=seed
        )
        seed += 1
        requests += few
        # not to be interrupted: every request on the list must be on the topic
        writing = asyncio.ensure_future(publish(around.settings, few))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await writing
            raise
        await asyncio.sleep(_BEAT)


async def _settled(
    around: Surroundings, requests: Sequence[OutreachRequested], workers: Sequence[Worker], toll: Toll
) -> Told:
    """Wait until every request has an outcome, stop the workers cleanly, and read the outcomes."""
    guards = [asyncio.create_task(supervise(worker, toll)) for worker in workers]
    until = time.monotonic() + _SETTLED_WITHIN
    try:
        while time.monotonic() < until:
            if (await told(around.settings)).ended(requests):
                break
            await asyncio.sleep(1)
        await asyncio.sleep(1)  # a repeated outcome follows soon after the first
    finally:
        for guard in guards:
            guard.cancel()
        await asyncio.gather(*guards, return_exceptions=True)
        for worker in workers:
            with suppress(AssertionError, TimeoutError):
                await worker.stop()
            await worker.kill()
            worker.forget()
    return await told(around.settings)


_SENT, _FAILED, _UNCERTAIN = (kind.__name__ for kind in (OutreachSent, OutreachFailed, OutreachUncertain))
_STATUSES = {_SENT: {"SENT"}, _FAILED: {"FAILED", "EXPIRED", "RETRACTED"}, _UNCERTAIN: {"UNCERTAIN"}}


def fault(outcomes: Sequence[str], status: str | None, shown: int) -> str | None:
    """What is wrong with one outreach, given its outcomes, ledger status and times shown; None if nothing is."""
    if not outcomes:
        return f"no outcome, in the ledger {status}, shown {shown} times"
    if len(outcomes) > 1:
        return f"{len(outcomes)} outcomes: {', '.join(outcomes)}"
    (end,) = outcomes
    if status not in _STATUSES[end]:
        return f"{end}, in the ledger {status}"
    if end == _SENT and not shown:
        return "told as sent, and never shown"
    if end == _FAILED and shown:
        return "told as failed, and shown"
    return None


def _row(
    name: str,
    requests: Sequence[OutreachRequested],
    provider: Provider,
    shown: Counter[str],
    found: Told,
    toll: Toll,
    *,
    seconds: float,
) -> Row:
    faults = {
        request.outreach_id: said
        for request in requests
        if (said := fault(found.outcomes.get(key := request.outreach_id, []), found.ledger.get(key), shown[key]))
    }
    again = {key: count - 1 for key, count in shown.items() if count > 1}
    strangers = set(shown) - {request.outreach_id for request in requests}
    faults |= dict.fromkeys(strangers, "shown, and nobody asked for it")
    words = [f"{key}: {said}" for key, said in faults.items()]
    words += [f"{key}: shown {count + 1} times, told as {found.outcomes.get(key)}" for key, count in again.items()]
    return Row(
        provider=name,
        requests=len(requests),
        calls=len(provider.calls),
        repeated=len(provider.calls) - len({call.outreach_id for call in provider.calls}),
        sent=len(found.named(OutreachSent)),
        failed=len(found.named(OutreachFailed)),
        uncertain=len(found.named(OutreachUncertain)),
        duplicated=sum(again.values()),
        unaccounted=len(faults),
        kills=toll.kills,
        points=dict(sorted(toll.points.items())),
        seconds=round(seconds, 1),
        faults=(
            *words[:5],
            *(f"not reached: {missed}" for missed in toll.missed),
            *(f"a worker ended with {code}" for code in toll.other_ends),
        ),
    )


def main() -> None:
    """Start a separate stack, drive, print the figures as JSON; exits with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.provider", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--kills", type=int, default=20, help="of each provider (default: %(default)s)")
    parser.add_argument("--provider", choices=PROVIDERS, help="this one alone")

    async def run(stack: Stack, given: argparse.Namespace) -> ProviderFigures:
        names = [given.provider] if given.provider else list(PROVIDERS)
        rows = [
            await drive_one(
                stack, name, seed=given.seed, kills=given.kills, tell=lambda said: print(said, file=sys.stderr)
            )
            for name in names
        ]
        return ProviderFigures.of(rows)

    sys.exit(0 if run_alone(parser, run).clean else 1)


if __name__ == "__main__":
    main()
