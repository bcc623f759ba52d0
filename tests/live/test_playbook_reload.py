"""A playbook file changed under a running journeys role: the next decision goes by it; a wrong one changes nothing."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path

import httpx
import pytest

from processors.playbook import load_playbook
from processors.settings import Settings
from streams import Publisher, events
from streams.events import Decision, OutreachRequested
from tests.live.reading import records, until
from tests.live.roles import Role
from tests.playbook.good import GOOD, changed, dumped

pytestmark = pytest.mark.live

AWAKE = {name: section for name, section in GOOD.items() if name != "quiet_hours"}
"""Without quiet hours, so that it does not matter when the test runs."""


async def tell(settings: Settings, customer: str, *, parcel: str = "O-1") -> None:
    """A customer with an address, and that a parcel of theirs is 45 minutes late."""
    now = datetime.now(UTC)

    def common() -> dict[str, object]:
        return {"event_id": str(uuid.uuid4()), "customer_id": customer, "occurred_at": now, "source": "urn:test:reload"}

    address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example")
    async with Publisher(settings) as publisher:
        await publisher.publish(events.ProfileUpdated(**common(), name="Made Up", addresses=(address,)))
        await publisher.publish(
            events.DelayNoticed(
                **common(), subject_kind="order", subject_id=parcel, description="your parcel",
                promised_at=now + timedelta(hours=1), expected_at=now + timedelta(minutes=105),
                reason=events.DelayReason.WEATHER,
            )
        )  # fmt: skip


async def decided(settings: Settings, customer: str, *, times: int = 1) -> Decision:
    """The latest decision about the customer, once there are so many."""

    async def about() -> list[Decision]:
        return [one for one in await records(settings, "decisions") if one.customer_id == customer]

    return (await until(about, lambda seen: len(seen) >= times))[-1]


async def metrics_of(role: Role) -> str:
    """What the role tells Prometheus of its playbook."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{role.port}/metrics")).text
    return "\n".join(line for line in text.splitlines() if line.startswith("careline_playbook"))


async def test_a_playbook_changed_while_it_runs(settings: Settings, role_env: dict[str, str], tmp_path: Path) -> None:
    """Decided by the first; a wrong file is refused and the first stays; a right one is taken, without a restart."""
    file = tmp_path / "playbook.yaml"
    file.write_text(dumped(AWAKE), encoding="utf-8")
    first = load_playbook(file)
    async with Role("journeys", role_env, playbook=str(file), playbook_reload="1") as role:
        before = role.pid
        await tell(settings, "ana")
        assert (await decided(settings, "ana")).playbook_version == first.version

        file.write_text(dumped(changed("delay_care default threshold", "soon", of=AWAKE)), encoding="utf-8")
        await until(
            lambda: metrics_of(role), lambda seen: 'careline_playbook_reloads_total{result="refused"} 1.0' in seen
        )
        assert "delay_care.default.threshold: 'soon' is not a duration" in role.log
        await tell(settings, "ben")
        assert (await decided(settings, "ben")).playbook_version == first.version
        assert (await role.ask("/readyz"))[0] == httpx.codes.OK

        gestures = [AWAKE["delay_care"]["default"]["gestures"][0] | {"code": "bunch-of-flowers"}]
        file.write_text(dumped(changed("delay_care default gestures", gestures, of=AWAKE)), encoding="utf-8")
        second = load_playbook(file)
        await until(lambda: metrics_of(role), lambda seen: f'version="{second.version}"' in seen)
        await tell(settings, "cleo")
        assert (await decided(settings, "cleo")).playbook_version == second.version != first.version
        await tell(settings, "ana", parcel="O-2")
        switched = await decided(settings, "ana", times=2)
        assert switched.playbook_version == second.version
        assert switched.inputs["playbook_before"] == first.version
        shown = await metrics_of(role)
        assert 'careline_playbook_reloads_total{result="taken"} 1.0' in shown
        assert first.version not in shown
        assert role.pid == before

    requests = [one for one in await records(settings, "outreach") if isinstance(one, OutreachRequested)]
    assert sorted((one.customer_id, one.gesture.code) for one in requests if one.gesture) == [
        ("ana", "book"),
        ("ana", "bunch-of-flowers"),
        ("ben", "book"),
        ("cleo", "bunch-of-flowers"),
    ]


async def test_words_changed_while_it_runs(
    settings: Settings, role_env: dict[str, str], mail_dir: Path, tmp_path: Path
) -> None:
    """The dispatcher writes with the playbook's own words; a wrong text stops nobody's letter; a new one is taken."""
    file = tmp_path / "playbook.yaml"
    run = uuid.uuid4().hex[:8]

    def say(subject: str) -> None:
        texts = {"delay_care/notice": {"en": {"subject": subject}}}
        file.write_text(dumped(AWAKE | {"texts": texts}), encoding="utf-8")

    say("First words")
    book = {"playbook": str(file), "playbook_reload": "1"}
    async with Role("journeys", role_env, **book), Role("outreach", role_env, **book) as outreach:
        await tell(settings, f"ana-{run}")
        assert await subject_to(f"ana-{run}", mail_dir) == "First words"
        say("{% for one in description %}{{ one }}{% endfor %}")
        await until(lambda: metrics_of(outreach), lambda seen: 'result="refused"} 1.0' in seen)
        assert "texts.delay_care/notice.en.subject: in its line 1: a loop" in outreach.log
        await tell(settings, f"ben-{run}")
        assert await subject_to(f"ben-{run}", mail_dir) == "First words"
        say("Second words")
        await until(lambda: metrics_of(outreach), lambda seen: 'result="taken"} 1.0' in seen)
        await tell(settings, f"cleo-{run}")
        assert await subject_to(f"cleo-{run}", mail_dir) == "Second words"


async def subject_to(customer: str, folder: Path) -> str:
    """The subject of the customer's letter, once it is there."""

    def look() -> list[str]:
        letters = [BytesParser(policy=policy.default).parsebytes(each.read_bytes()) for each in folder.rglob("*.eml")]
        return [str(letter["Subject"]) for letter in letters if customer in str(letter["To"])]

    return (await until(lambda: asyncio.to_thread(look), bool))[0]
