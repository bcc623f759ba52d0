"""The faults of a drive, in the order in which they are tried: what is done, what has to fire, and the repair."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import redis.asyncio

from deploy.local.mail_sink import Mode, set_mode
from tests.drill.scene import Scene

Act = Callable[[Scene], Awaitable[None]]

LATE = frozenset({"EventsCommitTooSlow", "LettersLeaveTooLate"})
"""What was kept waiting counts as late once it is handled."""
_PARTITION = 2


@dataclass(frozen=True, slots=True)
class Fires:
    """An alert that has to fire, with these labels among others: its ``for``, a few scrapes, and ``takes`` seconds
    after the fault at the latest."""

    alert: str
    labels: Mapping[str, str] = field(default_factory=dict)
    takes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: its cause, what has to come of it, its repair."""

    what: str
    cause: Act
    repair: Act
    fires: tuple[Fires, ...]
    suppressed: frozenset[str] = frozenset()
    """Alerts that have to fire as a consequence and to notify nobody."""
    hold: float = 0.0
    """Seconds after the last alert for which the fault stays, at most, until the suppressed ones fire too."""
    may: frozenset[str] = frozenset()
    settles: float = 120.0
    """Seconds within which everything has to resolve."""


async def _nothing(here: Scene) -> None:
    del here


async def _kill_journeys(here: Scene) -> None:
    await here.journeys.end(kill=True)


async def _end_journeys(here: Scene) -> None:
    await here.journeys.end()


async def _begin_journeys(here: Scene) -> None:
    await here.journeys.begin()


def _killing(part: str) -> Act:
    async def kill(here: Scene) -> None:
        here.kill(part)

    return kill


async def _up(here: Scene) -> None:
    await here.up()


async def _up_and_ready(here: Scene) -> None:
    await here.up()
    for role in here.roles.values():
        if role.wanted:
            await role.ready(within=90)


def _mail(mode: Mode, code: int | None = None) -> Act:
    async def change(here: Scene) -> None:
        set_mode(here.mail, mode, code=code)

    return change


async def _empty_redis(here: Scene) -> None:
    async with redis.asyncio.Redis.from_url(here.env["CARELINE_REDIS_URL"]) as client:
        await client.flushall()
    await asyncio.sleep(20)  # whatever would fire has fired by then


async def _second_playbook(here: Scene) -> None:
    other = here.write_playbook({"caps": [{"purpose": "SERVICE", "most": 7, "window": "24h"}]}, name="other.yaml")
    second = here.role("journeys", instance="1", playbook=str(other))
    await second.begin()


async def _without_the_second(here: Scene) -> None:
    await here.roles.pop("journeys-1").end()


async def _wrong_playbook(here: Scene) -> None:
    here.playbook.write_text("delay_care: {default: {threshold: soon}}\n", encoding="utf-8")


async def _right_playbook(here: Scene) -> None:
    here.write_playbook()


def _clock(offset: str) -> Act:
    async def jump(here: Scene) -> None:
        here.clock.write_text(offset)

    return jump


async def _some_unreadable(here: Scene) -> None:
    for _ in range(3):
        await here.poison(5, partition=_PARTITION)
        await asyncio.sleep(1)


async def _poison(here: Scene) -> None:
    await here.poison(600, partition=_PARTITION)


async def _skip(here: Scene) -> None:
    await here.skip(_PARTITION)


async def _complain(here: Scene) -> None:
    await here.report("COMPLAINED", 12)
    await asyncio.sleep(1)


async def _many_letters(here: Scene) -> None:
    """Twelve complaints are less than 0.3 % of four thousand letters."""
    before, here.pace = here.pace, 0.0
    try:
        wanted = here.published + 2 * 4_400
        while here.published < wanted:  # noqa: ASYNC110, the stream has no event for it
            await asyncio.sleep(0.5)
    finally:
        here.pace = before


async def _restart_view(here: Scene) -> None:
    view = here.roles["view-0"]
    for _ in range(4):
        await view.end(kill=True)
        await view.begin()


FAULTS: dict[str, Fault] = {
    "journeys_killed": Fault(
        what="kill -9 of the only journeys worker; its target stays",
        cause=_kill_journeys, repair=_begin_journeys,
        fires=(Fires("RoleAbsent", {"role": "journeys", "severity": "page"}),),
        may=LATE | {"ProcessorStalled"},
    ),
    "journeys_ended": Fault(
        what="the only journeys worker ends in order; its target vanishes",
        cause=_end_journeys, repair=_begin_journeys,
        fires=(Fires("RoleAbsent", {"role": "journeys", "severity": "page"}, takes=8),),
        may=LATE | {"ProcessorStalled"},
    ),
    "broker_killed": Fault(
        what="kill -9 of Kafka",
        cause=_killing("kafka"), repair=_up_and_ready,
        fires=(
            Fires("KafkaAway", {"role": "journeys"}, takes=12), Fires("KafkaAway", {"role": "outreach"}, takes=12),
        ),
        suppressed=frozenset({"RoleNotReady"}), hold=60,
        may=LATE | {
            "DeadlinesLate", "GatewayFailing", "MeasureBehind", "OutreachOverdue", "ProcessorStalled",
            "RebalanceStorm", "RecoverySlow", "RoleAbsent", "RoleRestarting", "TransactionsAborting", "ViewBehind",
        },
        settles=240,
    ),
    "registry_stopped": Fault(
        what="kill -9 of the schema registry",
        cause=_killing("registry"), repair=_up,
        fires=(Fires("RegistryAway", {"role": "journeys"}, takes=12),),
    ),
    "redis_stopped": Fault(
        what="kill -9 of Redis",
        cause=_killing("redis"), repair=_up,
        fires=(Fires("RedisAway", {"role": "view"}, takes=12),),
        suppressed=frozenset({"ViewBehind", "RoleNotReady"}), hold=100,
    ),
    "redis_emptied": Fault(
        what="Redis is emptied; the view is rebuilt, and nobody has to be woken",
        cause=_empty_redis, repair=_nothing, fires=(),
    ),
    "mail_stopped": Fault(
        what="kill -9 of the mail server",
        cause=_killing("mail"), repair=_up,
        fires=(Fires("MailAway", {"role": "outreach"}, takes=12),),
        suppressed=frozenset({"CircuitOpen"}), hold=40,
        # a letter that was being handed over is uncertain
        may=LATE | {"OutreachOverdue", "ProviderFailing", "UncertainLetters"}, settles=300,
    ),
    "mail_refusing": Fault(
        what="the mail server answers every letter 451, try later",
        cause=_mail(Mode.REFUSE, 451), repair=_mail(Mode.OK),
        # it answers, so its circuit stays closed
        fires=(Fires("ProviderFailing", {"role": "outreach"}, takes=15),),
        may=LATE | {"OutreachOverdue"}, settles=240,
    ),
    "mail_rejecting": Fault(
        what="the mail server answers every letter 550, never",
        cause=_mail(Mode.REFUSE, 550), repair=_mail(Mode.OK),
        fires=(Fires("ProviderFailing", {"role": "outreach"}, takes=15),),
        may=LATE, settles=180,
    ),
    "mail_dropping": Fault(
        what="the mail server takes letters and drops the connection before it says so",
        cause=_mail(Mode.DROP_AFTER_DATA), repair=_mail(Mode.OK),
        fires=(Fires("UncertainLetters", {"channel": "EMAIL"}, takes=10),),
        may=LATE | {"CircuitOpen", "OutreachOverdue", "ProviderFailing"}, settles=300,
    ),
    "mail_hanging": Fault(
        what="the mail server takes connections and never answers a letter, for five minutes",
        cause=_mail(Mode.HANG), repair=_mail(Mode.OK),
        fires=(Fires("OutreachOverdue", {"role": "outreach"}, takes=330),),
        may=LATE | {"CircuitOpen", "ProviderFailing", "UncertainLetters"}, settles=300,
    ),
    "two_playbooks": Fault(
        what="a second journeys worker starts with another playbook",
        cause=_second_playbook, repair=_without_the_second,
        fires=(Fires("PlaybooksDiffer", {"role": "journeys"}, takes=5),),
        may=LATE | {"RebalanceStorm", "RoleAbsent"},
    ),
    "playbook_refused": Fault(
        what="the playbook file of the journeys role gets a mistake",
        cause=_wrong_playbook, repair=_right_playbook,
        # it looks twice, a second apart, and tries the file in a process of its own
        fires=(Fires("PlaybookRefused", {"role": "journeys"}, takes=30),),
    ),
    "clock_wrong": Fault(
        what="the clock of the journeys worker is 30 s ahead",
        cause=_clock("30"), repair=_clock("0"),
        fires=(Fires("ClockOff", {"role": "journeys"}),),
        may=LATE,
    ),
    "unreadable": Fault(
        what="a publisher writes 15 records that nobody can read",
        cause=_some_unreadable, repair=_nothing,
        fires=(
            Fires("DeadLetters", {"role": "journeys"}, takes=6),
            Fires("ContractViolations", {"source": "urn:drill:broken"}, takes=6),
        ),
        settles=300,
    ),
    "partition_poisoned": Fault(
        what="a publisher fills one partition with records that nobody can read; it is moved past them by hand",
        cause=_poison, repair=_skip,
        fires=(Fires("PartitionStopped", {"role": "journeys"}, takes=10),),
        may=LATE | {"ContractViolations", "DeadLetters", "ProcessorStalled", "RoleAbsent", "RoleNotReady"},
        settles=300,
    ),
    "complaints": Fault(
        what="twelve customers call their letter spam, more than 0.3 %; then others get letters",
        cause=_complain, repair=_many_letters,
        fires=(Fires("ComplaintsHigh", {"channel": "EMAIL"}, takes=5),),
        may=LATE, settles=240,
    ),
    "restarting": Fault(
        what="the view is killed four times in a row",
        cause=_restart_view, repair=_nothing,
        fires=(Fires("RoleRestarting", {"role": "view"}, takes=5),),
        may=frozenset({"RoleAbsent", "RoleNotReady", "ViewBehind"}),
    ),
}  # fmt: skip
"""By name; ``python -m tests.drill --only NAME`` runs one alone."""
