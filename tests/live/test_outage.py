"""An outage on the real broker: the dispatcher, the mail server, the publisher, each away for hours.

The workers' clocks are shifted: they begin twenty hours ago, and the hours of an outage pass at once.
"""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.local.place import free_port
from processors.outreach.channels.agent_task import AgentTaskChannel
from processors.outreach.channels.email import EmailChannel
from processors.outreach.role import OutreachRole
from processors.playbook import load_playbook
from processors.roles import wiring
from processors.settings import Settings
from streams import Publisher, events
from streams.clock import ManualClock, SystemClock
from streams.config import TimeSource
from streams.events import FailureReason, OutreachChannel, replace
from tests.live.reading import records, until
from tests.outreach.servers import MailSink

pytestmark = pytest.mark.live

PACKAGED = load_playbook()
assert PACKAGED.quiet_hours is not None
PLAYBOOK = dataclasses.replace(
    PACKAGED, quiet_hours=dataclasses.replace(PACKAGED.quiet_hours, channels=frozenset(OutreachChannel))
)
"""Every channel has a night here, so that an e-mail has one to wait through."""

HOUR = timedelta(hours=1)
ON_TIME = timedelta(seconds=3)


class Shifted:
    """Runs as the machine's clock does, some time behind it."""

    def __init__(self, behind: timedelta) -> None:
        self._behind = behind

    def now(self) -> datetime:
        """The time there."""
        return SystemClock().now() - self._behind

    def advance(self, by: timedelta) -> None:
        """Hours pass at once."""
        self._behind -= by


def zone_where_it_is(hour: int, at: datetime) -> str:
    """A zone whose clocks show that hour then."""
    ahead = (hour - at.hour + 11) % 24 - 11
    return "Etc/GMT" if not ahead else f"Etc/GMT{-ahead:+d}"


def facts(who: str, at: datetime) -> dict[str, Any]:
    """What every fact carries; the same fact has the same id."""
    return {"customer_id": who, "occurred_at": at, "source": "urn:test:outage"}


def profile(who: str, at: datetime, zone: str) -> events.ProfileUpdated:
    """Who can be written to by e-mail."""
    to = (events.Address(channel=OutreachChannel.EMAIL, address=f"{who}@mail.example"),)
    return events.ProfileUpdated(**facts(who, at), event_id=_id(who, "p"), name=who, time_zone=zone, addresses=to)


def delay(who: str, at: datetime, *, until: timedelta) -> events.DelayNoticed:
    """A flight that was to leave now, and leaves after that."""
    return events.DelayNoticed(
        **facts(who, at), event_id=_id(who, "d"), subject_kind="flight", subject_id=f"F-{who}",
        description=f"flight F-{who}", promised_at=at, expected_at=at + until,
    )  # fmt: skip


def ended(who: str, at: datetime) -> events.DelayEnded:
    """It left earlier than that."""
    return events.DelayEnded(**facts(who, at), event_id=_id(who, "e"), subject_kind="flight", subject_id=f"F-{who}")


def _id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.UUID(int=0), "/".join(parts)))


def dispatcher(settings: Settings, port: int, clock: Any) -> OutreachRole:
    """The real role, with a mail server at that port."""
    mail = EmailChannel(url=f"smtp://127.0.0.1:{port}", sender="care@careline.example", clock=clock.now)
    channels: Any = {OutreachChannel.EMAIL: mail, OutreachChannel.AGENT_TASK: AgentTaskChannel()}
    return wiring.outreach(settings, channels=channels, playbook=PLAYBOOK, clock=clock)


async def ends(settings: Settings) -> dict[str, Any]:
    """What each customer's letter came to."""
    said = await records(settings, "outcomes")
    return {one.customer_id: one for one in said}


async def asked(settings: Settings) -> set[str]:
    """Whose letters were asked for."""
    found = await records(settings, "outreach")
    return {one.customer_id for one in found if isinstance(one, events.OutreachRequested)}


def folded(states: list[events.JourneyState]) -> int:
    """How many touchpoints the journeys hold by now."""
    return sum({one.customer_id: one.touchpoints for one in states}.values())


async def check(settings: Settings, letters: list[Any]) -> None:
    """Every letter in the mailboxes was told as sent, at a time when it was of use, not taken back, and by day."""
    topic = await records(settings, "outreach")
    wanted = {one.outreach_id: one for one in topic if isinstance(one, events.OutreachRequested)}
    over = {one.outreach_id: one.retracted_at for one in topic if isinstance(one, events.OutreachRetracted)}
    sent = {one.outreach_id: one for one in await records(settings, "outcomes") if isinstance(one, events.OutreachSent)}
    assert sorted(str(letter["Careline-Outreach-Id"]) for letter in letters) == sorted(sent)
    for key, one in sent.items():
        request = wanted[key]
        assert one.occurred_at < request.useful_until
        assert key not in over or one.occurred_at <= over[key]
        assert request.quiet_hours is not None
        assert 7 <= one.occurred_at.astimezone(ZoneInfo(request.quiet_hours.time_zone)).hour < 22


async def test_live_whatever_is_away_for_hours(settings: Settings) -> None:
    """No letter leaves past its use, at night, or after its wait is over; what is of use in the morning leaves then."""
    clock = Shifted(20 * HOUR)
    begin = clock.now()
    evening, noon = zone_where_it_is(17, begin), zone_where_it_is(9, begin)
    port = free_port(taken=set())
    journeys = wiring.journeys(settings, playbook=PLAYBOOK, clock=clock)
    async with Publisher(settings) as publisher, MailSink(port=port) as mail:

        async def publish(*told: Any) -> None:
            for one in told:
                await publisher.publish(one, at=clock.now())

        await journeys.start()
        try:
            # the dispatcher is away for six hours
            for who, zone, of_use in (
                ("short", noon, 1), ("over", noon, 9), ("day", noon, 9), ("night", evening, 9), ("morning", evening, 18)
            ):  # fmt: skip
                await publish(profile(who, clock.now(), zone), delay(who, clock.now(), until=of_use * HOUR))
            await until(lambda: asked(settings), lambda seen: len(seen) == 5)
            clock.advance(HOUR)
            await publish(ended("over", clock.now()))
            retracted = lambda seen: any(isinstance(one, events.OutreachRetracted) for one in seen)  # noqa: E731
            await until(lambda: records(settings, "outreach"), retracted)
            clock.advance(5 * HOUR)
            role = dispatcher(settings, port, clock)
            await role.start()
            said = await until(lambda: ends(settings), lambda seen: len(seen) >= 4)
            assert isinstance(said["day"], events.OutreachSent)
            assert said["day"].occurred_at >= begin + 6 * HOUR
            assert {who: said[who].reason for who in ("short", "over", "night")} == {
                "short": FailureReason.EXPIRED,
                "over": FailureReason.RETRACTED,
                "night": FailureReason.EXPIRED,
            }
            assert "morning" not in said
            clock.advance(9 * HOUR)  # it is eight o'clock there
            said = await until(lambda: ends(settings), lambda seen: "morning" in seen)
            assert isinstance(said["morning"], events.OutreachSent)

            # the mail server is away for two hours
            mail.server.close()
            await role.stop()  # its connection is kept alive by the server; a new worker has none
            role = dispatcher(settings, port, clock)
            await role.start()
            day = zone_where_it_is(11, clock.now())
            for who, of_use in (("brief", 1), ("patient", 4)):
                await publish(profile(who, clock.now(), day), delay(who, clock.now(), until=of_use * HOUR))
            await until(lambda: asked(settings), lambda seen: {"brief", "patient"} <= seen)
            clock.advance(2 * HOUR)
            said = await until(lambda: ends(settings), lambda seen: "brief" in seen)
            assert said["brief"].reason is FailureReason.EXPIRED
            async with MailSink(port=port) as again:
                clock.advance(timedelta(minutes=11))
                said = await until(lambda: ends(settings), lambda seen: "patient" in seen)
                assert isinstance(said["patient"], events.OutreachSent)

                # the publisher was away for a weekend: the wait and its end come together, hours late
                now = clock.now()
                old = replace(delay("late", now - 50 * HOUR, until=4 * HOUR), expected_at=None)
                await publish(profile("late", now - 60 * HOUR, day), old, ended("late", now - 47 * HOUR))
                await publish(profile("after", now, day), delay("after", now, until=HOUR))
                await until(lambda: ends(settings), lambda seen: "after" in seen)
                assert not any("late@" in to for sink in (mail, again) for to in sink.recipients)
                assert {"patient@mail.example", "after@mail.example"} <= set(again.recipients)
            assert [to.partition("@")[0] for to in mail.recipients] == ["day", "morning"]
            await check(settings, [*mail.messages, *again.messages])
        finally:
            await role.stop()
            await journeys.stop()


@pytest.mark.parametrize("away", [False, True], ids=["beside the journeys", "started when all was over"])
async def test_in_event_time_nothing_was_away(settings: Settings, away: bool) -> None:
    """Days of a stream are played: each outcome and task has its request's time, whenever the dispatcher ran."""
    settings = replace_settings(settings)
    begin = datetime(2013, 2, 8, 12, tzinfo=UTC)
    story: list[tuple[datetime, Any]] = []
    for number in range(40):
        who, at = f"ana-{number}", begin + number * 7 * HOUR
        story += [(at, profile(who, at, zone_where_it_is(12, at))), (at, delay(who, at, until=3 * HOUR))]
        if number % 3 == 0:
            story.append((at + HOUR, ended(who, at + HOUR)))
        if number % 4 == 0:
            rude = events.FeedbackGiven(
                **facts(who, at),
                event_id=_id(who, "f"),
                feedback_id=_id(who, "f"),
                kind=events.FeedbackKind.CSAT,
                score=1,
            )
            story.append((at, rude))
    journeys = wiring.journeys(settings, playbook=load_playbook())
    async with Publisher(settings) as publisher, MailSink() as mail:
        role = dispatcher(settings, mail.port, ManualClock(begin))
        if not away:
            await role.start()
        await journeys.start()
        try:
            # the publisher of one was away for a weekend: its wait and the end of it come together, hours late
            back = begin + 300 * HOUR
            old = replace(delay("late", back - 50 * HOUR, until=4 * HOUR), expected_at=None)
            story += [(back, profile("late", back - 60 * HOUR, "Etc/GMT")), (back, old)]
            story.append((back, ended("late", back - 47 * HOUR)))
            for at, fact in sorted(story, key=lambda one: one[0]):
                await publisher.publish(fact, at=at)
            # of every customer everything is folded, so that every request has been made
            await until(lambda: records(settings, "journeys"), lambda seen: folded(seen) == len(story))
            assert len(await asked(settings)) == 40
            if away:
                await role.start()
            wanted = {
                one.outreach_id: one
                for one in await records(settings, "outreach")
                if isinstance(one, events.OutreachRequested)
            }
            said = await until(lambda: records(settings, "outcomes"), lambda seen: len(seen) >= len(wanted))
            assert {one.outreach_id: one.occurred_at for one in said if isinstance(one, events.OutreachSent)} == {
                key: one.requested_at for key, one in wanted.items()
            }
            for task in await records(settings, "agent-tasks"):
                assert task.opened_at == wanted[task.task_id].requested_at
            assert "late" not in {one.customer_id for one in wanted.values()}
            letters = [one for one in wanted.values() if one.addresses[0].channel is OutreachChannel.EMAIL]
            assert len(mail.recipients) == len(letters)
        finally:
            await role.stop()
            await journeys.stop()


def replace_settings(settings: Settings) -> Settings:
    """In event time."""
    return settings.model_copy(update={"time_source": TimeSource.EVENTS})
