"""The demo from end to end: stack, roles, the day, the count."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from deploy.local.private import private_directory, write_private
from processors.demo.drive import Seen, kill, publish, settle, watch
from processors.demo.policies import by_policy
from processors.demo.promptness import promptness
from processors.demo.readback import Latency, Readback, read_back
from processors.demo.roles import Roles
from processors.journey.playbook import Playbook
from processors.journey.wait_rules import wait_rules
from processors.measure.sample_ratio import SampleRatio, sample_ratio
from processors.playbook import load_playbook
from processors.roles import wiring
from processors.settings import Settings
from processors.simulator import Flight, StormDay, expected_customers, storm_day
from streams.broker.provision import set_up
from streams.events import OutreachFailed, OutreachSent, OutreachUncertain

ROLES = tuple(name for name in wiring.ROLES if name != "gateway")  # nobody calls from outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to play."""

    day: date
    flights: tuple[Flight, ...]
    seed: int
    speed: float
    kills: int
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of it."""

    day: StormDay
    read: Readback
    owed: frozenset[tuple[str, str]]
    summary: dict[str, Any]
    urls: dict[str, str]


class Screen(Protocol):
    """Where a person looks meanwhile."""

    def say(self, text: str) -> None:
        """A line."""
        ...

    def playing(self, total: int) -> contextlib.AbstractContextManager[Callable[..., None]]:
        """A progress bar: a function of (published, time of day, letters requested)."""
        ...


async def play(plan: Plan, *, environment: dict[str, str], mail: Path | None, home: Path, screen: Screen) -> Played:
    """Play the day on the servers in ``environment``; leaves ``summary.json`` in ``home``.

    Raises CarelineError: a role failed, a server does not answer, or the roles did not get through in time.
    """
    began = time.monotonic()
    environment = environment | {"CARELINE_TIME_SOURCE": "events", "CARELINE_KEEP_HISTORY": "true"}
    settings = Settings.from_environment(os.environ | environment)
    playbook = load_playbook(settings.playbook)
    day = storm_day(date=plan.day, seed=plan.seed, flights=plan.flights)
    owed = expected_customers(day.flights, day.bookings, wait_rules(playbook, "flight").threshold)
    screen.say(_the_day(day))
    await set_up(settings)
    logs = home / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    seen = Seen()
    async with Roles(ROLES, environment=environment, logs=logs, keep=plan.keep) as roles:
        screen.say(f"{', '.join(ROLES)} are ready (logs: {logs}); publishing the day")
        watching = asyncio.create_task(watch(settings, seen))
        started = time.monotonic()
        with screen.playing(len(day.arrivals)) as progress:
            await _through_the_day(plan, settings, day, roles, seen, watching, progress)
        published = time.monotonic() - started
        screen.say("everything is published; waiting until all of it is handled")
        await settle(roles, settings.partitions)
        settled = time.monotonic() - started
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        screen.say("counting the records on the topics and the letters in the mailbox")
        read = await read_back(settings, mail)
        urls = {name: role.url for name, role in roles.by_name.items()}
    summary = summarise(read, owed, seen, playbook) | {
        "date": plan.day.isoformat(),
        "seed": plan.seed,
        "speed": plan.speed,
        "kills": plan.kills,
        "publishing_seconds": round(published, 1),
        "settled_seconds": round(settled, 1),
        "seconds": round(time.monotonic() - began, 1),
    }
    _write(home / "summary.json", summary)
    return Played(day=day, read=read, owed=owed, summary=summary, urls=urls)


async def _through_the_day(
    plan: Plan,
    settings: Settings,
    day: StormDay,
    roles: Roles,
    seen: Seen,
    watching: asyncio.Task[None],
    progress: Callable[..., None],
) -> None:
    span = (day.arrivals[-1].at - day.arrivals[0].at).total_seconds()
    killing = asyncio.create_task(
        kill(
            roles,
            times=plan.kills,
            within=span / plan.speed if plan.speed else 20,
            seed=plan.seed,
            told=lambda name: progress(killed=name),
        )
    )
    try:
        await publish(
            settings,
            day.arrivals,
            speed=plan.speed,
            progress=lambda count, at: progress(published=count, at=at, letters=seen.requested),
        )
        await killing
    finally:
        killing.cancel()
    if watching.done():
        await watching


def _write(file: Path, summary: dict[str, Any]) -> None:
    private_directory(file.parent)
    write_private(file, json.dumps(summary, indent=2) + "\n")


def summarise(read: Readback, owed: frozenset[tuple[str, str]], seen: Seen, playbook: Playbook) -> dict[str, Any]:
    """The figures of summary.json; all but the latency are counted from the topics and the mailbox.

    ``by_policy`` is explained at :class:`~processors.demo.policies.Tally`.
    """
    policies = by_policy(
        [policy.name for policy in playbook.policies],
        decisions=read.decisions,
        requested=read.requested,
        retracted=read.retracted,
        gestures=read.gestures,
        currency=playbook.currency,
    )
    told = promptness(
        owed,
        notices=read.notices,
        contacts=read.contacts,
        decisions=read.decisions,
        threshold=wait_rules(playbook, "flight").threshold,
    )
    return {
        "events_in": sum(read.touchpoints.values()),
        "events_distinct": len(read.event_ids),
        "touchpoints": dict(read.touchpoints.most_common()),
        "customers": len(read.states),
        "delays": read.delays(),
        "decisions": read.by_kind_and_reason(),
        "owed_a_word": len(owed),
        "silent": len(read.silent(owed)),
        "reachable": told.reachable,
        "told_within_a_minute": round(told.told_within_a_minute, 4),
        "told_before_they_asked": round(told.told_before_they_asked, 4),
        "by_policy": {name: tally.as_data() for name, tally in policies.items()},
        "currency": playbook.currency,
        "experiments": {one.experiment: _ratio(one) for one in sample_ratio(read.exposures)},
        "outreach_requested": len(read.requested),
        "outreach_sent": read.outcome(OutreachSent),
        "outreach_sent_by_channel": read.sent_by_channel(),
        "outreach_failed": read.outcome(OutreachFailed),
        "outreach_uncertain": read.outcome(OutreachUncertain),
        "retracted": len(read.retracted),
        "retracted_by_reason": dict(Counter(record.reason for record in read.retracted)),
        "letters_in_mailbox": sum(read.mails.values()),
        "agent_tasks": sum(read.tasks.values()),
        "duplicates": read.duplicates(),
        "dead_letters": read.dead_letters,
        "outreach_digest": read.outreach_digest(),
        "event_to_outreach_ms": asdict(Latency.of(seen.latencies)),
    }


def _ratio(one: SampleRatio) -> dict[str, Any]:
    """An experiment or holdout: exposures by arm beside what was to be expected, and whether chance explains it."""
    return {
        "arms": {arm.name: {"exposed": arm.exposed, "expected": round(arm.expected, 1)} for arm in one.arms},
        "p_value": None if one.p_value is None else round(one.p_value, 4),
        "mismatch": one.mismatch,
    }


def _the_day(day: StormDay) -> str:
    counts = day.counts()
    cancelled = sum(flight.cancelled for flight in day.flights)
    return (
        f"{day.date:%A %d %B %Y}: {counts.flights} flights from New York, {cancelled} of them cancelled; "
        f"{counts.customers:,} customers, {counts.arrivals:,} touchpoints (seed {day.seed})"
    )
