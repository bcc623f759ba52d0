"""The scene of a drive: a stack of its own with monitoring, every role, a steady stream of customers, and reports."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from standardwebhooks import Webhook

from deploy.local import Stack
from deploy.local.place import free_port
from deploy.local.stack import MAIL_VARIABLE
from processors.settings import Settings
from streams import Publisher, events
from streams.broker.provision import set_up
from tests.chaos.crew import Worker
from tests.live.outreach import OUTREACH_HEADER
from tests.outreach.servers import SECRET
from tests.playbook.good import GOOD, dumped

ROLES = ("journeys", "outreach", "view", "measure", "gateway")
PREFIX = "drill."
AWAKE = {name: section for name, section in GOOD.items() if name != "quiet_hours"}
"""Without quiet hours, so that it does not matter when the drive runs."""

_EACH = 0.35  # s from one customer of the stream to the next
_REPORT_EACH = 1.0
_READY_WITHIN = 180.0  # s, on a machine that is busy
_SESSION = 11.0  # s until the group notices that a worker has left
_SHOWN = 3_000  # characters of a log


class Kept(Worker):
    """A role as a supervisor keeps it: started again when it ends by itself."""

    def __init__(self, role: str, env: dict[str, str], *, instance: str = "0", **settings: str) -> None:
        super().__init__(env, instance=instance, role=role, **settings)
        self.wanted = False
        """Whether it should run."""
        self.ends: list[int] = []
        """The exit codes of ends that nobody asked for."""

    async def begin(self) -> None:
        """Start it, and wait until it is ready."""
        await self.start()
        self.wanted = True
        await self.ready(within=_READY_WITHIN)

    async def end(self, *, kill: bool = False) -> None:
        """Stop it in order, or as a machine does it."""
        self.wanted = False
        await (self.kill() if kill else self.stop())

    async def supervise(self) -> None:
        """Restart it whenever it ends by itself, until cancelled."""
        while True:
            if self.wanted and self.code is not None:
                self.ends.append(self.code)
                await asyncio.sleep(1)
                if self.wanted and self.code is not None:
                    await self.start()
            await asyncio.sleep(0.2)

    def _command(self) -> list[str]:
        if self.clock is not None:
            return super()._command()
        return [sys.executable, "-m", "processors.cli", "run", self.name]


class Scene:
    """What a fault can reach. See :func:`scene`."""

    def __init__(self, *, stack: Stack, env: dict[str, str], mail: Path, files: Path, gateway: str) -> None:
        self.stack = stack
        self.env = env
        self.mail = mail
        self.settings = Settings.from_environment(env)
        self.playbook = files / "playbook.yaml"
        """The file of the journeys role."""
        self.clock = files / "clock"
        """The seconds by which the clock of the journeys role is wrong."""
        self.gateway = gateway
        self.pace = _EACH
        """Seconds from one customer of the stream to the next."""
        self.published = 0
        self.roles: dict[str, Kept] = {}
        self._files = files

    # -- roles and servers ----------------------------------------------------------------------------------------

    def role(self, name: str, *, instance: str = "0", **settings: str) -> Kept:
        """A role of this scene, not started yet."""
        made = Kept(name, {**os.environ, **self.env}, instance=instance, **settings)
        self.roles[f"{name}-{instance}"] = made
        return made

    @property
    def journeys(self) -> Kept:
        """The worker of the journeys role."""
        return self.roles["journeys-0"]

    def kill(self, part: str) -> None:
        """kill -9 a server of the stack."""
        [pid] = [status.pid for status in self.stack.status().parts if status.name == part]
        assert pid is not None, f"{part} is no process of this machine"
        os.kill(pid, signal.SIGKILL)

    async def up(self) -> None:
        """Start the servers again that are missing."""
        await asyncio.to_thread(self.stack.up)

    def write_playbook(self, changes: dict[str, Any] | None = None, *, name: str = "playbook.yaml") -> Path:
        """Write a playbook; the one of the journeys role if no other name is given."""
        file = self._files / name
        file.write_text(dumped(AWAKE | (changes or {})), encoding="utf-8")
        return file

    # -- input ----------------------------------------------------------------------------------------------------

    async def poison(self, count: int, *, partition: int, source: str = "urn:drill:broken") -> None:
        """Write records to one partition of the touchpoints that nobody can read."""
        topic = self.settings.topics.full_name(self.settings.topics.touchpoints)
        async with AIOKafkaProducer(**self.settings.kafka_client(), linger_ms=5) as producer:
            for number in range(count):
                await producer.send(
                    topic, key=f"broken-{number}".encode(), value=b"no avro", partition=partition,
                    headers=[("ce_source", source.encode())],
                )  # fmt: skip
            await producer.flush()

    async def skip(self, partition: int) -> None:
        """As docs/operating.md tells it: stop the role, wait for the group, move its offset to the end, start again."""
        await self.journeys.end(kill=True)
        await asyncio.sleep(_SESSION)
        place = TopicPartition(self.settings.topics.full_name(self.settings.topics.touchpoints), partition)
        group = f"{self.settings.topic_prefix}journeys"
        async with AIOKafkaConsumer(
            **self.settings.kafka_client(), group_id=group, enable_auto_commit=False
        ) as consumer:
            consumer.assign([place])
            await consumer.commit(await consumer.end_offsets([place]))
        await self.journeys.begin()

    async def report(self, kind: str, count: int) -> int:
        """Reports of a provider about the latest letters, signed; returns how many the gateway has stored."""
        parser, stored = BytesHeaderParser(), 0
        latest = sorted((name for name in os.listdir(self.mail) if name.endswith(".eml")), reverse=True)[:count]
        async with httpx.AsyncClient(base_url=self.gateway, timeout=5, trust_env=False) as client:
            for name in latest:
                with (self.mail / name).open("rb") as file:
                    head = parser.parse(file)
                said = json.dumps({
                    "outreach_id": str(head[OUTREACH_HEADER]), "customer_id": str(head["To"]).partition("@")[0],
                    "channel": "EMAIL", "kind": kind,
                })  # fmt: skip
                now, identity = datetime.now(UTC), uuid.uuid4().hex
                headers = {
                    "webhook-id": identity, "webhook-timestamp": str(int(now.timestamp())),
                    "webhook-signature": Webhook(SECRET).sign(identity, now, said),
                }  # fmt: skip
                answer = await client.post("/callbacks/outcomes", content=said, headers=headers)
                stored += answer.status_code == httpx.codes.ACCEPTED
        return stored

    # -- the stream -----------------------------------------------------------------------------------------------

    async def stream(self) -> None:
        """New customers whose parcel is late, and who get a letter; without end, whatever the servers do."""
        while True:
            with suppress(Exception):  # the broker is one of the things that are killed; the publisher is made afresh
                async with Publisher(self.settings, patience=timedelta(seconds=5)) as publisher:
                    while True:
                        await self._one(publisher)
                        await asyncio.sleep(self.pace)
            await asyncio.sleep(0.5)

    async def _one(self, publisher: Publisher) -> None:
        now, customer = datetime.now(UTC), f"customer-{uuid.uuid4().hex[:12]}"

        def common() -> dict[str, Any]:
            return {
                "event_id": str(uuid.uuid4()), "customer_id": customer, "occurred_at": now, "source": "urn:drill:shop"
            }  # fmt: skip

        address = events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example")
        await publisher.publish(events.ProfileUpdated(**common(), name="Made Up", addresses=(address,)))
        await publisher.publish(
            events.DelayNoticed(
                **common(), subject_kind="order", subject_id=f"O-{random.randrange(10_000)}", description="your parcel",
                promised_at=now + timedelta(hours=1), expected_at=now + timedelta(minutes=105),
                reason=events.DelayReason.WEATHER,
            )
        )  # fmt: skip
        self.published += 2

    async def reports(self) -> None:
        """One report a second that a letter was opened; without end."""
        while True:
            with suppress(httpx.HTTPError, OSError):
                await self.report("OPENED", 1)
            await asyncio.sleep(_REPORT_EACH)


@asynccontextmanager
async def scene(stack: Stack, files: Path) -> AsyncIterator[Scene]:
    """A scene on a running stack: all roles are ready, and the stream has begun; all of it ends with the block."""
    env = stack.environment()
    mail = Path(env.pop(MAIL_VARIABLE))
    port = free_port(taken=set())
    env |= {
        "CARELINE_TOPIC_PREFIX": PREFIX, "CARELINE_GATEWAY_PORT": str(port), "CARELINE_CALLBACK_SECRET": SECRET,
        "CARELINE_PUBLIC_URL": f"http://127.0.0.1:{port}", "CARELINE_LINK_SECRET": "a secret of the drive",
    }  # fmt: skip
    made = Scene(stack=stack, env=env, mail=mail, files=files, gateway=f"http://127.0.0.1:{port}")
    made.clock.write_text("")
    await set_up(made.settings)
    made.write_playbook()
    other = made.write_playbook(name="of-outreach.yaml")
    async with AsyncExitStack() as ends:
        for name in ROLES:
            role = made.role(name, playbook=str(made.playbook if name == "journeys" else other), playbook_reload="1")
            role.clock = str(made.clock) if name == "journeys" else None
        try:
            await asyncio.gather(*(role.begin() for role in made.roles.values()))
            for work in (made.stream(), made.reports(), _supervision(made)):
                task = asyncio.create_task(work)
                ends.callback(task.cancel)
            yield made
        except BaseException:
            for role in made.roles.values():
                sys.stderr.write(f"--- {role.name} {role.instance} logged at the end:\n{role.log[-_SHOWN:]}\n")
            raise
        finally:
            for role in made.roles.values():
                role.wanted = False
            await asyncio.gather(*(_ended(role) for role in made.roles.values()))


async def _supervision(made: Scene) -> None:
    tasks: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            for name, role in made.roles.items():
                if name not in tasks:
                    tasks[name] = asyncio.create_task(role.supervise())
            await asyncio.sleep(0.2)
    finally:
        for task in tasks.values():
            task.cancel()


async def _ended(role: Kept) -> None:
    with contextlib.suppress(AssertionError, TimeoutError):
        await role.stop()
    await role.kill()
    role.forget()


async def waited(met: Any, *, within: float, every: float = 0.25) -> bool:
    """Wait until ``met()`` is true; False if it is not within so many seconds."""
    until = time.monotonic() + within
    while not met():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(every)
    return True
