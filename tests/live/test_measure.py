"""The measurements on real parts: `careline run measure` as a process of its own, with Faust's agents and tables."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from deploy.local.place import free_port
from processors.measure.changelogs import forget
from streams import events
from streams.config import Settings
from streams.errors import Unavailable
from streams.events import Record, replace
from tests.live.writing import Writer, on_its_topic, writer
from tests.view.sample import ASKED, DECIDED, NOON, SENT, uid

pytestmark = pytest.mark.live

HOURS = ("2013-02-08T12:00:00+00:00", "2013-02-08T13:00:00+00:00")


def day(customers: int = 12) -> list[Record]:
    """Every other customer gets a letter, one each 10 minutes from noon; all answer, those written to with a 5.

    One redeems what they were given.
    """
    found: list[Record] = []
    for number in range(customers):
        customer, at = f"made-up-{number}", NOON + timedelta(minutes=10 * number)
        answer = {"event_id": uid(f"answer-{number}"), "feedback_id": f"f-{number}", "customer_id": customer}
        found.append(replace(ASKED, **answer, occurred_at=at + timedelta(minutes=1), score=2))
        if number % 2 == 0:
            letter = {"outreach_id": uid(f"letter-{number}"), "customer_id": customer}
            found[-1] = replace(ASKED, **answer, occurred_at=at + timedelta(minutes=1), score=5)
            found.append(replace(DECIDED, **letter, decision_id=uid(f"decision-{number}"), decided_at=at))
            found.append(replace(SENT, **letter, event_id=uid(f"sent-{number}"), occurred_at=at))
    came_back = events.OutreachEngaged(
        event_id=uid("redeemed-0"), customer_id="made-up-0", occurred_at=NOON + timedelta(days=9),
        source="careline/gateway/shop", outreach_id=uid("letter-0"), channel=events.OutreachChannel.EMAIL,
        kind=events.Engagement.REDEEMED,
    )  # fmt: skip
    return [*found, came_back]


LETTERS = [{"policy": "delay_care", "hour": hour, "letters": 3} for hour in HOURS]
SATISFACTION = {
    "written_to": {"answers": 6, "mean": 5.0, "low": 5.0, "high": 5.0},
    "not_written_to": {"answers": 6, "mean": 2.0, "low": 2.0, "high": 2.0},
}
WHOLE = {"ready": True, "letters": LETTERS, "redeemed": {"delay_care": 1}, "satisfaction": SATISFACTION}


class Measure:
    """A running `careline run measure`."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self._port = port

    async def get(self, path: str) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self._port}{path}") as response,
        ):
            return await (response.json() if path != "/metrics" else response.text())

    async def until(self, met: Callable[[Any], bool], path: str = "/measurements", *, within: float = 90) -> Any:
        """The page once it is as wanted."""
        deadline, page = time.monotonic() + within, None
        while time.monotonic() < deadline:
            assert self.process.returncode is None, "the role ended"
            try:
                page = await self.get(path)
            except aiohttp.ClientError:
                page = None
            if page is not None and met(page):
                return page
            await asyncio.sleep(0.1)
        raise AssertionError(f"it did not come about; the last page was {page}")

    async def taken_in(self) -> int:
        """How many rows this process wrote."""
        return taken_in(await self.get("/metrics"))

    async def stop(self) -> int:
        """Ask it to end; its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), timeout=20)


def taken_in(metrics: str) -> int:
    """The rows written, as the metrics say."""
    lines = [line for line in metrics.splitlines() if line.startswith("careline_measure_records_total")]
    return sum(int(float(line.split()[-1])) for line in lines)


@asynccontextmanager
async def running(env: dict[str, str], program: str = "processors.cli") -> AsyncIterator[Measure]:
    port = free_port(taken=set())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", program, "run", "measure", env={**env, "CARELINE_OPS_PORT": str(port)}
    )
    try:
        yield Measure(process, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def write(settings: Settings) -> AsyncIterator[Writer]:
    async with writer(settings) as one:
        yield one


async def test_letters_by_hour_and_satisfaction(settings: Settings, role_env: dict[str, str], write: Writer) -> None:
    """A day of 2013 is measured in its own hours, without what a transaction took back; then all of it comes again.

    A customer about whom staff have a task was not written to.
    """
    extra = {"outreach_id": uid("never"), "customer_id": "made-up-1"}
    await write.write(*on_its_topic(settings, [replace(SENT, **extra, event_id=uid("never"))]), abort=True)
    task = {"outreach_id": uid("task"), "channel": events.OutreachChannel.AGENT_TASK, "customer_id": "made-up-3"}
    await write.write(*on_its_topic(settings, [replace(SENT, **task, event_id=uid("task"))]))
    await write.write(*on_its_topic(settings, day()))
    async with running(role_env) as measure:
        assert await measure.until(lambda page: page == WHOLE) == WHOLE
        once = await measure.taken_in()
        assert once == len(day())
        await write.write(*on_its_topic(settings, day()))
        await measure.until(lambda page: taken_in(page) == 2 * once, "/metrics")
        assert await measure.get("/measurements") == WHOLE
        assert await measure.get("/readyz") == {"ready": True, "waiting_for": []}
        metrics = await measure.until(lambda page: 'measure_letters{policy="delay_care"} 6.0' in page, "/metrics")
        assert 'careline_measure_satisfaction_mean{group="written_to"} 5.0' in metrics
        assert 'careline_measure_satisfaction_answers{group="not_written_to"} 6.0' in metrics
        assert await measure.stop() == 0


async def test_a_restart_takes_its_tables_from_the_changelogs(
    settings: Settings, role_env: dict[str, str], write: Writer
) -> None:
    """After a stop the figures are there again, and what came meanwhile is added."""
    late = replace(ASKED, event_id=uid("late"), feedback_id="late", customer_id="made-up-1", score=2)
    await write.write(*on_its_topic(settings, day()))
    async with running(role_env) as measure:
        await measure.until(lambda page: page == WHOLE)
        await asyncio.sleep(4)  # Faust commits its offsets every 2.8 s
        assert await measure.stop() == 0
    await write.write(*on_its_topic(settings, [late]))
    async with running(role_env) as measure:
        page = await measure.until(lambda page: page["satisfaction"]["not_written_to"]["answers"] == 7)
        assert page["letters"] == LETTERS
        assert await measure.taken_in() < len(day())  # the rest came from the changelogs
        assert await measure.stop() == 0


def more() -> list[Record]:
    """A hundred low answers of customers who were not written to, on every partition."""
    return [
        replace(ASKED, event_id=uid(f"more-{n}"), feedback_id=f"more-{n}", customer_id=f"made-up-{n}", score=2)
        for n in range(1, 200, 2)
    ]


async def test_what_arrives_while_a_restarted_role_seeks_its_offsets_is_counted(
    settings: Settings, role_env: dict[str, str], write: Writer
) -> None:
    """Records that wait are counted however long Faust takes between seeking the first partition and the last."""
    await write.write(*on_its_topic(settings, day()))
    async with running(role_env) as measure:
        await measure.until(lambda page: page == WHOLE)
        await asyncio.sleep(4)  # Faust commits its offsets every 2.8 s
        assert await measure.stop() == 0
    await write.write(*on_its_topic(settings, more()))
    async with running(role_env, "tests.live.slow_measure") as measure:
        page = await measure.until(lambda page: page["satisfaction"]["not_written_to"]["answers"] == 6 + len(more()))
        assert page["letters"] == LETTERS
        assert await measure.stop() == 0


async def test_partitions_without_an_offset_are_read_from_their_beginning(
    settings: Settings, role_env: dict[str, str], write: Writer
) -> None:
    """One customer's answer was counted before the restart; on all other partitions nobody committed anything."""
    first, *rest = more()
    await write.write(*on_its_topic(settings, [first]))
    async with running(role_env) as measure:
        await measure.until(lambda page: page["satisfaction"]["not_written_to"]["answers"] == 1)
        await asyncio.sleep(4)  # Faust commits its offsets every 2.8 s
        assert await measure.stop() == 0
    await write.write(*on_its_topic(settings, rest))
    async with running(role_env, "tests.live.slow_measure") as measure:
        await measure.until(lambda page: page["satisfaction"]["not_written_to"]["answers"] == len(more()))
        assert await measure.stop() == 0


async def test_a_rebuild_from_the_topics_gives_the_same_figures(
    settings: Settings, role_env: dict[str, str], write: Writer
) -> None:
    """Tables and offsets forgotten, the topics alone give the same; and not while the role runs."""
    await write.write(*on_its_topic(settings, day()))
    async with running(role_env) as measure:
        await measure.until(lambda page: page == WHOLE)
        with pytest.raises(Unavailable, match="stop it"):
            await forget(settings)
        assert await measure.stop() == 0
    await forget(settings)
    async with running(role_env) as measure:
        await measure.until(lambda page: page == WHOLE)
        assert await measure.taken_in() == len(day())
        assert await measure.stop() == 0


async def test_what_cannot_be_read_is_left_out(settings: Settings, role_env: dict[str, str], write: Writer) -> None:
    """Garbage, tombstones, scores off the scale and events of 1970 leave the figures as they are."""
    topics = settings.topics
    await write.write_raw(
        (topics.touchpoints, b"made-up-1", b"garbage"),
        (topics.outcomes, b"made-up-1", None),
        (topics.decisions, b"made-up-1", b"\0\x7f\xff\xff\xff\x01"),
    )
    off = replace(ASKED, event_id=uid("off"), feedback_id="off", score=11)
    old = replace(ASKED, event_id=uid("old"), feedback_id="old", occurred_at=NOON.replace(year=1970))
    promoter = replace(ASKED, event_id=uid("nps"), feedback_id="nps", kind=events.FeedbackKind.NPS, score=3)
    await write.write(*on_its_topic(settings, [off, old, promoter]))
    await write.write(*on_its_topic(settings, day()))
    async with running(role_env) as measure:
        assert await measure.until(lambda page: page == WHOLE) == WHOLE
        metrics = await measure.get("/metrics")
        for reason in ("not_avro", "tombstone", "unknown_schema", "invalid_score", "invalid_occurred_at"):
            assert f'reason="{reason}"' in metrics
        assert await measure.stop() == 0
