"""Letters a second through a real mail server, with the ledger: `python -m tests.benchmarks.letters --letters 5000`.

A backlog of requests waits on the outreach topic; the outreach role, in a separate process, delivers it. The mailbox
counts: how many letters, when, in which order. The time is measured from the first stored letter to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local import Stack
from streams.events import OutreachChannel, OutreachSent
from tests.alone import run_alone
from tests.live.outreach import Surroundings, mailbox, order_breaks, outreach_requests, publish, told
from tests.live.roles import Role

LETTERS = 5_000
RUNS = 3
_A_CUSTOMER = 5  # letters each, on average
_STALLED_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersFigures:
    """The results of all runs. Every count below the rates is over all runs, and zero if nothing is wrong."""

    letters_per_s: float
    """Median of the runs."""
    runs: tuple[float, ...]
    letters: int
    """A run."""
    customers: int
    workers: int
    order_breaks: int
    lost: int
    duplicated: int
    unsettled: int
    """Letters in the mailbox that are not recorded as sent, once, by both the ledger and the outcomes."""
    cpu_ms: Mapping[str, float]
    """Processor time per letter, of the outreach role (including its start) and of the servers; median of the runs."""


@dataclass(frozen=True, slots=True)
class _Run:
    letters_per_s: float
    order_breaks: int
    lost: int
    duplicated: int
    unsettled: int
    cpu_ms: Mapping[str, float]


async def measure(stack: Stack, *, letters: int = LETTERS, runs: int = RUNS, workers: int = 1) -> LettersFigures:
    """Deliver ``letters``, ``runs`` times, with ``workers`` processes of the outreach role.

    Needs the stack's own mail server. Raises AssertionError if no letter arrives for a minute.
    """
    done = [await _run(stack, letters, workers, seed) for seed in range(runs)]
    return LettersFigures(
        letters_per_s=statistics.median(run.letters_per_s for run in done),
        runs=tuple(run.letters_per_s for run in done),
        letters=letters,
        customers=_customers(letters),
        workers=workers,
        order_breaks=sum(run.order_breaks for run in done),
        lost=sum(run.lost for run in done),
        duplicated=sum(run.duplicated for run in done),
        unsettled=sum(run.unsettled for run in done),
        cpu_ms={name: round(statistics.median(run.cpu_ms[name] for run in done), 2) for name in done[0].cpu_ms},
    )


def _customers(letters: int) -> int:
    return max(letters // _A_CUSTOMER, 1)


async def _run(stack: Stack, letters: int, workers: int, seed: int) -> _Run:
    around = await Surroundings.on(stack, prefix="bench-letters")
    assert around.mail is not None, "the letters are counted in the mailbox of our own mail server; it is another one"
    requests = outreach_requests(
        letters,
        customers=_customers(letters),
        channel=OutreachChannel.EMAIL,
        address="{customer}@mail.example",
        seed=seed + time.time_ns(),  # the mailbox may contain letters of earlier runs
    )
    await publish(around.settings, requests)
    before = len(os.listdir(around.mail))
    servers = {part.name: part.pid for part in stack.status().parts if part.pid is not None}
    spent = {name: _cpu_seconds([pid]) for name, pid in servers.items()}
    async with AsyncExitStack() as entered:
        roles = [Role("outreach", around.env, instance=str(n), log_level="warning", wait=False) for n in range(workers)]
        for role in roles:
            await entered.enter_async_context(role)
        await _all_arrived(around.mail, before + letters)
        used = {"outreach": _cpu_seconds([role.pid for role in roles])}
        used |= {name: _cpu_seconds([pid]) - spent[name] for name, pid in servers.items()}
    said = await told(around.settings)  # the roles have committed the results of their calls
    arrived = mailbox(around.mail, of=requests)
    times = Counter(letter.outreach_id for letter in arrived)
    took = max(letter.at for letter in arrived) - min(letter.at for letter in arrived)
    sent = [OutreachSent.__name__]
    return _Run(
        letters_per_s=round((len(arrived) - 1) / took, 1),
        order_breaks=order_breaks(requests, (letter.outreach_id for letter in arrived)),
        lost=letters - len(times),
        duplicated=len(arrived) - len(times),
        unsettled=sum(1 for key in times if said.outcomes.get(key) != sent or said.ledger.get(key) != "SENT"),
        cpu_ms={name: seconds / letters * 1000 for name, seconds in used.items()},
    )


def _cpu_seconds(pids: Iterable[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)


async def _all_arrived(mail: Path, count: int) -> None:
    seen, moved = -1, time.monotonic()
    while seen < count:
        await asyncio.sleep(0.5)
        now = len(os.listdir(mail))
        if now != seen:
            seen, moved = now, time.monotonic()
        assert time.monotonic() - moved < _STALLED_SECONDS, f"{seen} of {count} letters, and no more are coming"


def main() -> None:
    """Start a separate stack, measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.letters", description=__doc__)
    parser.add_argument("--letters", type=int, default=LETTERS, help="a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=RUNS, help="the median counts (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes of the outreach role (default: %(default)s)")
    run_alone(
        parser, lambda stack, given: measure(stack, letters=given.letters, runs=given.runs, workers=given.workers)
    )


if __name__ == "__main__":
    main()
