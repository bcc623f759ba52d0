"""The drive: sends ordinary and odd records side by side for some minutes, and then checks the results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context

from aiokafka.errors import KafkaError

from streams.clock import to_millis
from tests.chaos.stories import Told, stream
from tests.fuzz import shots
from tests.fuzz.field import ORDINARY, Field, field
from tests.fuzz.findings import Finding, Summary
from tests.fuzz.holding import METRIC
from tests.fuzz.hostile import hostile_shots
from tests.fuzz.judging import judged
from tests.fuzz.variations import accepted
from tests.fuzz.watching import Watch

PATIENCE = 30.0
"""Seconds that one record may hold its partition."""
_BATCH = 100
_AT_ONCE = 20
_GIANT_EVERY = 40.0
_SETTLES = 120.0
_BEAT = 0.05
_MOST_MS = 50.0

Tell = Callable[[float, str], None]
"""Called with the seconds passed and a description of the progress."""


async def drive(
    stack_env: Mapping[str, str],
    *,
    seed: int,
    minutes: float,
    rate: int = 100,
    tell: Tell = lambda seconds, what: None,
    commands: Mapping[str, tuple[str, ...]] | None = None,
    patience: float = PATIENCE,
    only: Collection[str] = (),
    stop_at_first: bool = False,
) -> Summary:
    """Fire for ``minutes``, with ``rate`` ordinary touchpoints a second; returns everything that was found.

    ``commands`` replace a role's command, to plant a fault in it. ``only``: these types, all if empty. With
    ``stop_at_first`` the drive ends at the first finding.
    """
    summary = Summary(seed=seed, minutes=minutes)
    began = time.monotonic()
    async with field(stack_env, commands=commands or {}) as here:
        tell(time.monotonic() - began, "the roles are ready; registering schemas")
        variations, summary.schemas_refused = await accepted(here.registry, here.settings.topics, only=only)
        hostile, refused = [], []
        if not only:
            hostile, refused = await hostile_shots(here.settings, here.registry)
        summary.schemas_refused += refused
        summary.schemas_taken = len(variations) + len(hostile)
        watch = Watch(here, summary, patience=patience)
        watching = asyncio.create_task(watch.run(), name="watch")
        fires = time.monotonic()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            living = asyncio.create_task(_live(here, summary, stream(seed, who=ORDINARY), rate), name="live")
            try:
                await _shoot(
                    here, summary, variations, hostile, pool, until=fires + 60 * minutes, began=began, tell=tell,
                    enough=lambda: stop_at_first and bool(summary.findings),
                )  # fmt: skip
            finally:
                living.cancel()
                with suppress(asyncio.CancelledError):
                    await living
        if stop_at_first and summary.findings:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            return summary
        await here.flush()
        tell(time.monotonic() - began, "the day closes")
        await here.close_the_day()
        await _settled(here, summary, watch)
        await _longest(here, summary)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        tell(time.monotonic() - began, "judging")
        await _stopped(here, summary)
        await judged(here, summary)
    if not summary.odd or not summary.letters:
        summary.findings.append(Finding("nothing fired", "the drive ended before it fired anything"))
    summary.seconds = round(time.monotonic() - began, 1)
    return summary


async def _live(here: Field, summary: Summary, told: Iterator[Told], rate: int) -> None:
    began = time.monotonic()
    for number, (at, event) in enumerate(told, start=1):
        await here.live(at, event)
        summary.ordinary = number
        ahead = number / rate - (time.monotonic() - began)
        if ahead > _BEAT:
            await asyncio.sleep(ahead)


async def _shoot(
    here: Field,
    summary: Summary,
    variations: list[shots.Variation],
    hostile: list[shots.Shot],
    pool: ProcessPoolExecutor,
    *,
    until: float,
    began: float,
    tell: Tell,
    enough: Callable[[], bool],
) -> None:
    loop = asyncio.get_running_loop()
    number = giants = 0

    def drawn(number: int) -> asyncio.Future[list[shots.Shot]]:
        return loop.run_in_executor(pool, _draw, summary.seed, number, variations, to_millis(here.now))

    next_ = drawn(0)
    while time.monotonic() < until and not enough():
        fired, next_ = await next_, drawn(number + 1)
        if time.monotonic() - began > giants * _GIANT_EVERY:
            now = to_millis(here.now)
            fired.append(await loop.run_in_executor(pool, _giant, summary.seed, giants, variations, now))
            giants += 1
        if hostile:
            fired.append(hostile[number % len(hostile)])
        for first in range(0, len(fired), _AT_ONCE):
            together = enumerate(fired[first : first + _AT_ONCE], start=first)
            await asyncio.gather(*(_fire(here, summary, shot, batch=number, number=at) for at, shot in together))
        number += 1
        tell(
            time.monotonic() - began,
            f"{summary.odd:,} odd records, {summary.ordinary:,} ordinary, {len(summary.findings)} findings",
        )
    next_.cancel()


def _draw(seed: int, number: int, variations: list[shots.Variation], now: int) -> list[shots.Shot]:
    return shots.batch(seed, number, count=_BATCH, variations=variations, now=now)


def _giant(seed: int, number: int, variations: list[shots.Variation], now: int) -> shots.Shot:
    return shots.giant(seed, number, variations=variations, now=now)


async def _fire(here: Field, summary: Summary, shot: shots.Shot, *, batch: int, number: int) -> None:
    try:
        await here.fire(shot, batch=batch, number=number)
    except (KafkaError, ValueError, UnicodeError, AssertionError, TypeError) as error:
        summary.refused_by_broker[f"{shot.kind}: {type(error).__name__}"] += 1
        return
    summary.odd += 1
    summary.by_kind[shot.kind] += 1
    summary.by_type[shot.record or "none"] += 1


async def _settled(here: Field, summary: Summary, watch: Watch) -> None:
    """Wait until the processors and the view have caught up, three checks in a row."""
    until = time.monotonic() + _SETTLES
    quiet = 0
    while quiet < 3:
        if time.monotonic() > until:
            summary.findings.append(Finding("not settled", f"after {_SETTLES:.0f} s there is left: {watch.behind}"))
            return
        busy = any(watch.behind.get(role, 1) for role in ("journeys", "outreach"))
        for name in ("outreach", "view"):
            busy = busy or await _busy(here, name)
        quiet = 0 if busy else quiet + 1
        await asyncio.sleep(1)


async def _longest(here: Field, summary: Summary) -> None:
    """The highest cost of one record. The cost of a schema counts once, when it is first seen."""
    for line in (await here.roles["journeys"].metrics()).splitlines():
        if line.startswith(f"{METRIC}{{"):
            part, seconds = line.partition('part="')[2].partition('"')[0], float(line.rpartition(" ")[2])
            summary.longest_cpu_ms[part] = round(seconds * 1000, 1)
    spent = sum(summary.longest_cpu_ms.values())
    if not spent:
        summary.findings.append(Finding("not measured", "the journeys role reports no cost of its records"))
    for part, milliseconds in summary.longest_cpu_ms.items():
        if milliseconds > _MOST_MS:
            summary.findings.append(Finding("costly", f"one record took {milliseconds} ms to {part}"))


async def _busy(here: Field, name: str) -> bool:
    text = await here.roles[name].metrics()
    wanted = ("careline_processor_effects_in_flight", "careline_view_lag_records", "careline_processor_lag_records")
    lines = [line for line in text.splitlines() if line.startswith(wanted)]
    return not lines or any(float(line.rpartition(" ")[2]) > 0 for line in lines)


async def _stopped(here: Field, summary: Summary) -> None:
    """Stop every role and check that it ends cleanly, except the view, which is read afterwards."""
    for name, role in here.roles.items():
        try:
            await role.stop()
        except (AssertionError, TimeoutError) as error:
            summary.findings.append(Finding("end", f"{name}: {str(error)[:1_000] or 'does not end'}"))
