"""Thousands of half-open connections against a real gateway, and honest calls meanwhile: ``python -m
tests.benchmarks.half_open [CONNECTIONS]``.

The gateway runs as a process of its own on a real Kafka. Connections that never finish their headers are opened to its
public port and to its operations port, and opened again where they are closed. Meanwhile a shop reports redemptions,
signed, each answered once Kafka has it, and somebody asks for the role's health; each call on a connection of its own,
from the same address as the flood, which is the worst case. Ends with 1 if a call fails or takes longer than 500 ms.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from standardwebhooks import Webhook

from deploy.local import running_stack, stack_environment
from deploy.local.place import free_port
from streams.config import Settings
from streams.provision import set_up
from tests.live.roles import Role

MOST_MS = 500.0
SECONDS = 20.0
_HOME = Path(".careline/half-open")
_SECRET = "whsec_" + "c2hvcHNob3BzaG9wc2hvcHNob3A="
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
            except httpx.HTTPError as error:
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


class Flood:
    """So many connections to a port that say too little, for as long as it is told."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._each = connections
        self.open = 0
        self.opened = 0

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(*(self._one(number) for number in range(self._each)))

    async def _one(self, number: int) -> None:
        await asyncio.sleep(number / 1_000)  # 1,000 a second: not even the kernel's queue is to be full at once
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                self.opened += 1
                self.open += 1
                try:
                    writer.write(_UNFINISHED)
                    await reader.read()
                finally:
                    self.open -= 1
                    writer.close()
            await asyncio.sleep(1)


async def drive(connections: int) -> bool:
    """Print the table; whether every call was answered in time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * connections)), hard))
    port = free_port(taken=set())
    env = stack_environment(_HOME / "stack") | {
        "CARELINE_TOPIC_PREFIX": f"open-{uuid.uuid4().hex[:8]}.",
        "CARELINE_REPORTERS": json.dumps({"shop": {"secrets": [_SECRET], "kinds": ["REDEEMED"]}}),
        "CARELINE_GATEWAY_PORT": str(port),
    }
    env.pop("CARELINE_MAIL_DIR", None)
    await set_up(Settings.from_environment(env))
    async with Role("gateway", env) as gateway:
        floods = [Flood(port, connections), Flood(gateway.port, connections)]
        flooding = [asyncio.create_task(one.run()) for one in floods]
        await asyncio.sleep(connections / 1_000 + 1)
        reports, health = Calls("a signed report"), Calls("/livez")
        until = time.monotonic() + SECONDS
        await asyncio.gather(
            reports.again_and_again(lambda: _report(port), until=until),
            health.again_and_again(lambda: _health(gateway.port), until=until),
        )
        memory = _resident_mib(gateway.pid)
        for one in flooding:
            one.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*flooding)
    print(
        f"{connections:,} half-open connections to each of two ports, {sum(one.opened for one in floods):,} opened in"
    )
    print(f"all, {SECONDS:.0f} s; resident memory of the gateway {int(memory) >> 10} MiB\n")
    print("| call | answered | failed | median, ms | 99th, ms | longest, ms |\n| --- | --- | --- | --- | --- | --- |")
    print(reports, health, sep="\n")
    for one in (*reports.failed[:3], *health.failed[:3]):
        print(one)
    return reports.good and health.good


def _resident_mib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) >> 10


async def _report(port: int) -> str | None:
    now, message = datetime.now(UTC), str(uuid.uuid4())
    said = json.dumps({"outreach_id": message, "customer_id": "ana", "channel": "EMAIL", "kind": "REDEEMED"})
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(_SECRET).sign(message, now, said),
    }
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/callbacks/outcomes", content=said, headers=headers)
    return None if answer.status_code == 202 else f"{answer.status_code}: {answer.text[:200]}"


async def _health(port: int) -> str | None:
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/livez")
    return None if answer.status_code == 200 else f"{answer.status_code}: {answer.text[:200]}"


def main() -> int:
    """Run it; 0 if every honest call was answered in time."""
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with running_stack(_HOME / "stack", purge=True):
        return 0 if asyncio.run(drive(connections)) else 1


if __name__ == "__main__":
    sys.exit(main())
