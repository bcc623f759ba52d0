"""A no stays a no, on real servers: an erasure while the mail server is away, and a merge across partitions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.local.place import free_port
from processors.outreach.phases import WAITS
from processors.settings import Settings
from processors.view.reading import customer_view
from processors.view.redis_store import RedisViewStore
from streams import Publisher, events
from streams.processor.intake import partition_of
from tests.live.reading import dead_letters, messages, raw_records, records, states, until
from tests.live.roles import Role

pytestmark = pytest.mark.live

ADDRESS = "ana.ruiz@mail.example"


def day_zone(now: datetime) -> str:
    """A zone in which it is noon now: nobody's letter waits for the morning."""
    behind = now.hour - 12
    return "Etc/GMT" if not behind else f"Etc/GMT{behind:+d}"


def facts(who: str, when: datetime) -> dict[str, Any]:
    """What every fact carries."""
    return {"event_id": str(uuid.uuid4()), "customer_id": who, "occurred_at": when, "source": "urn:test:no"}


def profile(who: str, when: datetime, address: str = ADDRESS) -> events.ProfileUpdated:
    """Who they are."""
    to = events.Address(channel=events.OutreachChannel.EMAIL, address=address)
    return events.ProfileUpdated(**facts(who, when), name="Ana Ruiz", time_zone=day_zone(when), addresses=(to,))


def delay(who: str, when: datetime, subject: str) -> events.DelayNoticed:
    """A flight that is four hours late."""
    return events.DelayNoticed(
        **facts(who, when), subject_kind="flight", subject_id=subject, description=f"flight {subject}",
        promised_at=when + timedelta(hours=1), expected_at=when + timedelta(hours=5),
    )  # fmt: skip


async def test_an_erasure_while_the_mail_server_is_away(settings: Settings, role_env: dict[str, str]) -> None:
    """What waits is dropped; its outcome, and what comes late, bring nothing back in any topic or in Redis."""
    now = datetime.now(UTC).replace(microsecond=0)
    nowhere = f"smtp://127.0.0.1:{free_port(taken=set())}"
    known = profile("ana", now - timedelta(minutes=9))
    async with (
        Publisher(settings) as publisher,
        Role("journeys", role_env),
        Role("outreach", role_env, smtp_url=nowhere),
        Role("view", role_env),
    ):
        await publisher.publish(known)
        await publisher.publish(delay("ana", now - timedelta(minutes=8), "UA571"))
        await until(
            lambda: records(settings, "outreach-ledger"),
            lambda seen: any(entry.phase in WAITS for entry in seen),
        )
        await publisher.publish(events.CustomerErased(**facts("ana", now - timedelta(minutes=5))))
        failed = await until(
            lambda: records(settings, "outcomes"),
            lambda seen: any(isinstance(one, events.OutreachFailed) for one in seen),
        )
        assert [one.reason for one in failed] == [events.FailureReason.RETRACTED]
        await publisher.publish(known)
        await publisher.publish(profile("ana", now - timedelta(minutes=6)))
        await publisher.publish(delay("ana", now - timedelta(minutes=6), "UA99"))
        await publisher.publish(events.CustomerErased(**facts("ana", now - timedelta(minutes=5))))
        store = RedisViewStore(settings)
        try:
            gone = await until(
                lambda: customer_view(store, "ana"), lambda view: view.erased_at is not None and view.state is None
            )
            assert (gone.timeline, gone.outreach, gone.known) == ((), (), False)
            # the first fact from after it is behind all of these on its partition
            await publisher.publish(events.AgentNoted(**facts("ana", now), note_id="n1", agent_id="kim", text="Hello."))
            state = (await until(lambda: states(settings), lambda seen: seen["ana"].touchpoints == 1))["ana"]
            assert (state.profile, state.delays, state.outreach) == (events.Profile(), (), ())
            back = await until(lambda: customer_view(store, "ana"), lambda view: view.state is not None)
            texts = [str(entry.record) for entry in back.timeline]
            assert not any("UA99" in text or ADDRESS in text for text in texts), texts
        finally:
            await store.close()
        assert [type(one).__name__ for one in await records(settings, "outreach")] == [
            "OutreachRequested", "OutreachRetracted",
        ]  # fmt: skip
        last = {raw.key: raw.value for raw in await raw_records(settings, "outreach-ledger")}
        assert len(last) == 1
        assert all(ADDRESS.encode() not in value and b"Ana" not in value for value in last.values() if value)
        history = [one.record for one in await messages(settings, "journeys") if one.key == "ana"]
        erased = next(at for at, one in enumerate(history) if one.is_erased)
        assert [one.touchpoints for one in history[erased:]] == [0, 1]
        assert await dead_letters(settings) == []


async def test_a_merge_across_partitions(settings: Settings, role_env: dict[str, str]) -> None:
    """The no's of the record that goes hold for the one that stays, and what it hears later is passed on."""
    now = datetime.now(UTC).replace(microsecond=0)
    stays = "stays"
    names = [f"gone-{number}" for number in range(64)]
    home = partition_of(stays.encode(), settings.partitions)
    gone = next(name for name in names if partition_of(name.encode(), settings.partitions) != home)
    no = events.ConsentChanged(
        **facts(gone, now - timedelta(minutes=20)), purpose=events.Purpose.SERVICE, status=events.ConsentStatus.REVOKED
    )
    merge = events.ProfilesMerged(**facts(stays, now - timedelta(minutes=10)), other_customer_id=gone)
    async with Publisher(settings) as publisher, Role("journeys", role_env) as journeys:
        for event in (profile(stays, now - timedelta(minutes=30)), no, merge, merge):
            await publisher.publish(event)
        await until(
            lambda: states(settings), lambda seen: any(one.from_customer_id == gone for one in seen[stays].consents)
        )
        await journeys.kill()
        await journeys.start()
        await publisher.publish(delay(gone, now, "UA571"))
        [decided] = await until(
            lambda: records(settings, "decisions"),
            lambda seen: any(one.customer_id == stays for one in seen),
        ) and [one for one in await records(settings, "decisions") if one.customer_id == stays]
        assert (decided.kind, decided.reason) == (events.DecisionKind.SUPPRESS, "no_consent")
        assert await records(settings, "outreach") == []
        told = [one for one in await records(settings, "touchpoints") if getattr(one, "told", False)]
        assert sorted(one.customer_id for one in told) == sorted([gone, stays])
        assert await dead_letters(settings) == []
