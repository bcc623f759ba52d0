"""A task for staff, from the request to the queue: on real servers, with the roles as processes."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from streams import events
from streams.config import Settings
from streams.events import replace
from tests.live.reading import messages, records, until
from tests.live.roles import Role
from tests.live.writing import writer
from tests.outreach.given import VARIABLES, outreach_id, request

pytestmark = pytest.mark.live


def asked(number: int, *, team: str, due: timedelta | None) -> events.OutreachRequested:
    """A task that is asked for now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return request(
        outreach_id=outreach_id(number),
        customer_id=f"customer-{number}",
        requested_at=now,
        addresses=(events.Address(channel=events.OutreachChannel.AGENT_TASK, address=team),),
        variables=VARIABLES,
        due_at=None if due is None else now + due,
        escalation=True,
        useful_until=now + timedelta(hours=3),
    )


async def listed(env: dict[str, str], *options: str) -> list[str]:
    """What `careline tasks` lists, by customer."""
    command = (sys.executable, "-m", "processors.cli", "tasks", "--json", *options)
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return [task["customer_id"] for task in json.loads(printed)]


async def test_a_task_is_in_the_queue_until_it_is_done(settings: Settings, role_env: dict[str, str]) -> None:
    """Asked for twice it is there once, with its outcome; done or taken back it leaves; the soonest due is first."""
    wanted = [
        asked(1, team="rescue", due=timedelta(minutes=30)),
        asked(2, team="rescue", due=timedelta(minutes=-5)),
        asked(3, team="thanks", due=None),
    ]
    topics = settings.topics
    retracted = events.OutreachRetracted(
        outreach_id=outreach_id(1), customer_id="customer-1", retracted_at=datetime.now(UTC),
        decision_id=outreach_id(9), policy="delay_care", journey_id="journey-1", reason="wait_over",
    )  # fmt: skip
    done = events.AgentTaskDone(
        event_id=outreach_id(8), customer_id="customer-2", occurred_at=datetime.now(UTC), source="desk",
        task_id=outreach_id(2), agent_id="agent-7",
    )  # fmt: skip
    async with writer(settings) as topic, Role("outreach", role_env), Role("view", role_env):
        await topic.write(*((topics.outreach, one) for one in wanted + wanted))
        tasks = await until(lambda: records(settings, "agent-tasks"), lambda seen: len(seen) == 3)
        opened = {task.task_id: task.opened_at for task in tasks}
        assert {task.task_id: (task.team, task.due_at, task.escalation) for task in tasks} == {
            one.outreach_id: (one.addresses[0].address, one.due_at and max(one.due_at, opened[one.outreach_id]), True)
            for one in wanted
        }, "none is due before it is opened"
        assert {message.key for message in await messages(settings, "agent-tasks")} == {
            one.customer_id for one in wanted
        }
        sent = [one for one in await records(settings, "outcomes") if isinstance(one, events.OutreachSent)]
        assert {one.outreach_id for one in sent} == {one.outreach_id for one in wanted}
        assert all("Why we wrote" not in task.text for task in tasks)

        assert await until(lambda: listed(role_env), lambda seen: len(seen) == 3) == [
            "customer-2",
            "customer-1",
            "customer-3",
        ]
        assert await listed(role_env, "--team", "thanks") == ["customer-3"]

        await topic.write((topics.touchpoints, done), (topics.outreach, retracted))
        assert await until(lambda: listed(role_env), lambda seen: len(seen) == 1) == ["customer-3"]
        again = replace(wanted[2], outreach_id=outreach_id(4), customer_id="customer-4")
        await topic.write((topics.outreach, again))
        await until(lambda: listed(role_env), lambda seen: sorted(seen) == ["customer-3", "customer-4"])
    assert len(await records(settings, "agent-tasks")) == 4
