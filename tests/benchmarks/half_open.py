"""Thousands of half-open connections against a real gateway, and honest calls meanwhile: ``python -m
tests.benchmarks.half_open [CONNECTIONS]``.

The gateway runs as a process of its own on a real Kafka. Connections that never finish their headers are opened to its
public port and to its operations port, and opened again where they are closed. Meanwhile a shop reports redemptions,
signed, each answered once Kafka has it, and somebody asks for the role's health; each call on a connection of its own,
from the same address as the flood, which is the worst case. Ends with 1 if a call fails or takes longer than 500 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from standardwebhooks import Webhook

from deploy.local import running_stack, stack_environment
from deploy.local.place import free_port
from processors.settings import Settings
from streams.broker.provision import set_up
from tests.live.roles import Role

MOST_MS = 500.0
SECONDS = 20.0
_HOME = Path(".careline/half-open")
_SECRET = "whsec_" + "c2hvcHNob3BzaG9wc2hvcHNob3A="
_AGAIN = 10.0  # s
_ESTABLISHED = "01"
_UNFINISHED = b"GET /livez HTTP/1.1\r\nHost: a\r\n"


@dataclass(slots=True)
class Calls:
    """Of one kind: how long each took, in ms, and what went wrong."""

    what: str
    spent: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    async def again_and_again(self, call: Callable[[], Awaitable[str | None]], *, until: float) -> None:
        """Every 50 ms; ``call`` answers what went wrong."""
        while time.monotonic() < until:
            began = time.perf_counter()
            try:
                wrong = await call()
            except (aiohttp.ClientError, TimeoutError) as error:
                wrong = repr(error)
            self.spent.append((time.perf_counter() - began) * 1_000)
            if wrong:
                self.failed.append(wrong)
            await asyncio.sleep(0.05)

    @property
    def good(self) -> bool:
        """All were answered, each in time."""
        return bool(self.spent) and not self.failed and max(self.spent) <= MOST_MS

    def __str__(self) -> str:
        spent = sorted(self.spent)
        return (
            f"| {self.what} | {len(spent)} | {len(self.failed)} | {statistics.median(spent):.0f} | "
            f"{spent[int(0.99 * (len(spent) - 1))]:.0f} | {spent[-1]:.0f} |"
        )


async def _flood(port: int, connections: int) -> None:
    """So many connections to a port that say too little; one that is closed is opened again after a while."""

    async def one(number: int) -> None:
        await asyncio.sleep(number / 1_000)  # 1,000 a second: the kernel's queue is not what is tried here
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(_UNFINISHED)
                    await reader.read()
                finally:
                    writer.close()
            await asyncio.sleep(_AGAIN)

    await asyncio.gather(*(one(number) for number in range(connections)))


async def drive(connections: int) -> bool:
    """Print the table; whether every call was answered in time."""
    port = free_port(taken=set())
    env = stack_environment(_HOME / "stack") | {
        "CARELINE_TOPIC_PREFIX": f"open-{uuid.uuid4().hex[:8]}.",
        "CARELINE_REPORTERS": json.dumps({"shop": {"secrets": [_SECRET], "kinds": ["REDEEMED"]}}),
        "CARELINE_GATEWAY_PORT": str(port),
    }
    env.pop("CARELINE_MAIL_DIR", None)
    await set_up(Settings.from_environment(env))
    async with Role("gateway", env) as gateway:
        flood = [sys.executable, "-m", "tests.benchmarks.half_open", str(connections)]
        # processes of their own, so that honest callers do not wait for the flood's own work
        floods = [await asyncio.create_subprocess_exec(*flood, "--flood", str(one)) for one in (port, gateway.port)]
        try:
            await asyncio.sleep(connections / 1_000 + 3)
            open_ = sum(len(one) for one in (_connected(port), _connected(gateway.port)))
            reports, health = Calls("a signed report"), Calls("/livez")
            until = time.monotonic() + SECONDS
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as client:
                await asyncio.gather(
                    reports.again_and_again(lambda: _report(client, port), until=until),
                    health.again_and_again(lambda: _health(client, gateway.port), until=until),
                )
        finally:
            for one in floods:
                one.kill()
                await one.wait()
    print(f"{connections:,} half-open connections to each of two ports, {SECONDS:.0f} s; {open_:,} open at once\n")
    print("| call | answered | failed | median, ms | 99th, ms | longest, ms |\n| --- | --- | --- | --- | --- | --- |")
    print(reports, health, sep="\n")
    for one in (*reports.failed[:3], *health.failed[:3]):
        print(one)
    return reports.good and health.good


def _connected(port: int) -> list[str]:
    """The kernel's lines of connections that the port has accepted and not closed."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [line for line in lines if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == _ESTABLISHED]


async def _report(client: aiohttp.ClientSession, port: int) -> str | None:
    now, message = datetime.now(UTC), str(uuid.uuid4())
    said = json.dumps({"outreach_id": message, "customer_id": "ana", "channel": "EMAIL", "kind": "REDEEMED"})
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(_SECRET).sign(message, now, said),
        "content-type": "application/json",
    }
    async with client.post(f"http://127.0.0.1:{port}/callbacks/outcomes", data=said, headers=headers) as answer:
        return None if answer.status == 202 else f"{answer.status}: {(await answer.text())[:200]}"


async def _health(client: aiohttp.ClientSession, port: int) -> str | None:
    async with client.get(f"http://127.0.0.1:{port}/livez") as answer:
        return None if answer.status == 200 else f"{answer.status}: {(await answer.text())[:200]}"


def main() -> int:
    """Run it; 0 if every honest call was answered in time."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.half_open")
    parser.add_argument("connections", type=int, nargs="?", default=5_000, help="to each port")
    parser.add_argument("--flood", type=int, metavar="PORT", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.flood:
        asyncio.run(_flood(asked.flood, asked.connections))
    connections = asked.connections
    with running_stack(_HOME / "stack", purge=True):
        return 0 if asyncio.run(drive(connections)) else 1


if __name__ == "__main__":
    sys.exit(main())
