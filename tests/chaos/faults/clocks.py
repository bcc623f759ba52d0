"""Time: wall clocks that jump, and a hundred thousand deadlines at once."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from processors.journey.core import advance, wake
from processors.playbook import load_playbook
from streams import events
from streams.events import Decision, JourneyState
from tests.chaos.crew import Worker
from tests.chaos.faults.arena import Arena, Outcome
from tests.chaos.ground import Ground, ground
from tests.chaos.stories import BEGIN, Told
from tests.chaos.verdict import Verdict
from tests.chaos.watching import everything

_HOUR = timedelta(hours=1)
_JUMPS = (_HOUR, -_HOUR, _HOUR, 2 * _HOUR, timedelta())
"""By how much the clock is wrong, one step after another."""
_THRESHOLD = timedelta(minutes=30)  # of the playbook, for flights
_WAIT = timedelta(hours=6)
_SETTLE = 4.0
_PROFILED = 4  # one in this many of the storm's customers can be written to


async def timer_storm(arena: Arena) -> Outcome:
    """Many customers have a deadline at the same time."""
    async with ground(arena.env) as here:
        workers = [here.worker(name) for name in ("a", "b")]
        for worker in workers:
            await worker.start()
        await asyncio.gather(*(worker.ready() for worker in workers))
        for number, (at, event) in enumerate(_waiting(arena.timers)):
            await here.write(event, at)
            if number % 10_000 == 0:
                arena.tell(f"{number} touchpoints written")
                await asyncio.sleep(0)
        await here.fed()
        if not await here.done(within=300):
            return Outcome(count=0, verdict=Verdict(), failures=("the input was not handled in time",))
        arena.tell(f"{arena.timers} timers are due")
        began = time.monotonic()
        await here.close_the_day(after=_WAIT + _THRESHOLD)
        await here.done(within=300)
        seconds = round(time.monotonic() - began, 1)
        lost = sum(worker.log.count("partition_lost") for worker in workers)
        verdict = await here.verdict(close=False)
    failures = [] if verdict.timers >= arena.timers else [f"only {verdict.timers} timers were due"]
    ended = [worker.code for worker in workers if worker.code not in (None, 0)]
    failures += [f"a worker ended with {code}" for code in ended]
    return Outcome(count=arena.timers, verdict=verdict, notes={"fired_within_s": seconds, "partitions_lost": lost},
                   failures=tuple(failures))  # fmt: skip


def _waiting(customers: int) -> Iterator[Told]:
    promised = BEGIN + _WAIT
    for number in range(customers):
        name = f"waiting-{number}"
        if number % _PROFILED == 0:
            yield BEGIN, _profile(name, BEGIN, "UTC")
        yield BEGIN, _delay(name, BEGIN, promised)


async def clock_jumps(arena: Arena) -> Outcome:
    """The worker's wall clock jumps an hour ahead, two back, two ahead, one more, and is correct again; with a kill."""
    rng = arena.rng("clock_jumps")
    now = datetime.now(UTC).replace(microsecond=0)
    # in the middle of the customer's day, whatever time it is here
    zone = f"Etc/GMT{now.hour - 12:+d}"
    due = [_due_in(rng.choice(((5, 20), (40, 52), (75, 110))), rng.random()) for _ in range(300)]
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        clock = Path(folder) / "clock"
        async with ground(arena.env) as here:
            worker = here.worker("a", time_source="wall")
            worker.clock = str(clock)
            await worker.start()
            await worker.ready()
            waits = {f"waiter-{number}": now + after for number, after in enumerate(due)}
            for name, moment in waits.items():
                await here.write(_profile(name, now, zone), now)
                await here.write(_delay(name, now, moment - _THRESHOLD), now)
            await here.fed()
            await here.done()
            seen = [await _decided(here, clock, worker, timedelta())]
            for step, offset in enumerate(_JUMPS):
                arena.tell(f"the clock is off by {offset.total_seconds() / 3600:+.0f} h")
                seen.append(await _decided(here, clock, worker, offset, kill=step == 1))
                for name in list(waits)[:20]:
                    await here.write(_noted(name, now, step), datetime.now(UTC).replace(microsecond=0))
                await here.fed()
            if not await here.done():
                failures.append("it did not continue after the clock was correct again")
            last = await _ids(here)
            # the broker refuses records two hours ahead: nothing moves until the clock is correct
            before, wanted = (_expected(waits, now, zone, until=now + ahead) for ahead in (timedelta(), _HOUR))
            verdict = Verdict(events=here.published, outputs=len(wanted), states=len(waits), timers=len(wanted))
            for number, have in enumerate(seen):
                want = wanted if number else before
                if have != want:
                    failures.append(
                        f"at step {number}: {(have - want).total()} too many, {(want - have).total()} short"
                    )
            await here.retire()
            verdict.lost, verdict.duplicated = (wanted - last).total(), (last - wanted).total()
    return Outcome(count=len(_JUMPS), kills=1, verdict=verdict, notes={"fired": last.total()}, failures=tuple(failures))


def _due_in(minutes: tuple[int, int], share: float) -> timedelta:
    """A due time that is not close to the times at which the test checks."""
    low, high = minutes
    return timedelta(minutes=low) + (high - low) * share * timedelta(minutes=1) // timedelta(seconds=1) * timedelta(
        seconds=1
    )


async def _decided(here: Ground, clock: Path, worker: Worker, offset: timedelta, *, kill: bool = False) -> Counter[str]:
    await asyncio.to_thread(clock.write_text, str(offset.total_seconds()))
    if kill:
        await worker.kill()
        await worker.start()
        await worker.ready()
    await asyncio.sleep(_SETTLE)
    return await _ids(here)


async def _ids(here: Ground) -> Counter[str]:
    """The decisions caused by deadlines, by id. A decision caused by a touchpoint has the time when that was read; one
    caused by a deadline has the deadline's time."""
    decisions = (await everything(here.settings)).of(here.settings.topics.decisions)
    found: Counter[str] = Counter()
    for seen in decisions:
        record = await here.codec.decode(seen.value)
        if isinstance(record, Decision) and record.trigger_event_id is None:
            found[record.decision_id] += 1
    return found


def _expected(waits: dict[str, datetime], now: datetime, zone: str, *, until: datetime) -> Counter[str]:
    """The core's decisions for each customer separately, with all deadlines up to ``until`` at their own time."""
    playbook = load_playbook()
    found: Counter[str] = Counter()
    for name, moment in waits.items():
        state: JourneyState | None = None
        outputs: list[object] = []
        for event in (_profile(name, now, zone), _delay(name, now, moment - _THRESHOLD)):
            step = advance(state, event, now=now, playbook=playbook)
            state = step.state
            outputs += step.outputs
        while state is not None and state.wake_at is not None and state.wake_at <= until:
            step = wake(state, now=state.wake_at, playbook=playbook)
            state = step.state
            outputs += step.outputs
        found.update(one.decision_id for one in outputs if isinstance(one, Decision) and one.trigger_event_id is None)
    return found


def _profile(name: str, at: datetime, zone: str) -> events.ProfileUpdated:
    address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{name}@mail.example")
    return events.ProfileUpdated(
        event_id=_id(name, "profile"), customer_id=name, occurred_at=at, source="urn:test:chaos", name="Made Up",
        locale="en", time_zone=zone, addresses=(address,),
    )  # fmt: skip


def _delay(name: str, at: datetime, promised: datetime) -> events.DelayNoticed:
    return events.DelayNoticed(
        event_id=_id(name, "delay"), customer_id=name, occurred_at=at, source="urn:test:chaos", subject_kind="flight",
        subject_id="F1", description="flight F 1", promised_at=promised, reason=events.DelayReason.WEATHER,
    )  # fmt: skip


def _noted(name: str, at: datetime, number: int) -> events.AgentNoted:
    return events.AgentNoted(
        event_id=_id(name, f"note {number}"), customer_id=name, occurred_at=at, source="urn:test:chaos",
        note_id=f"n{number}", agent_id="a1", text="Asked again.",
    )  # fmt: skip


def _id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("urn:test:chaos", *parts))))
