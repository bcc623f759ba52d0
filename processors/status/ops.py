"""Asks workers at their ops ports: ready, what they wait for, playbook, version, lag, clock. And a Prometheus."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from processors.status.seen import Ops, Stranger

COMPOSE = tuple(f"http://127.0.0.1:{port}" for port in range(9101, 9106))
"""Where docker-compose.yml has the ops ports of the five roles."""
PROMETHEUS = "http://127.0.0.1:9090"

_LARGEST = 8 << 20
_SAMPLE = re.compile(
    r"^careline_(?P<name>dependency_up|role_ready|clock_seconds|build_info|playbook_info|playbook_refused"
    r"|processor_lag_seconds|processor_lag_records|outreach_waiting|outreach_oldest_overdue_seconds)"
    r"(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)",
    re.MULTILINE,
)
_WAITS = "# TYPE careline_outreach_waiting "
"""Where this stands and no sample follows, no letter waits; an earlier version has neither."""
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Samples = Mapping[str, list[tuple[dict[str, str], float]]]


def announced(directory: Path | None) -> dict[str, str]:
    """The roles that announced themselves in ``CARELINE_OPS_TARGETS``, by the URL of their ops port; {} without it."""
    found: dict[str, str] = {}
    for file in sorted(directory.glob("*.json")) if directory is not None else ():
        with suppress(OSError, ValueError, KeyError, TypeError):  # not a role's, or just being removed
            for one in json.loads(file.read_text(encoding="utf-8")):
                found |= {f"http://{target}": str(one["labels"]["role"]) for target in one["targets"]}
    return found


async def ask_all(urls: Iterable[str], *, seconds: float) -> tuple[tuple[Ops, ...], tuple[Stranger, ...]]:
    """Ask each, all at once. Ports where nobody listens are left out; what is not a role's is a stranger."""
    urls = [url.rstrip("/") for url in dict.fromkeys(urls)]
    # reading the system's authorities takes longer than all the answers
    verify = True if any(url.startswith("https") for url in urls) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(timeout=seconds, trust_env=False, verify=verify) as client:
        found = await asyncio.gather(*(_ask(client, url, seconds) for url in urls))
    ops = sorted((one for one in found if isinstance(one, Ops)), key=lambda one: one.url)
    return tuple(ops), tuple(one for one in found if isinstance(one, Stranger))


async def prometheus_version(*, seconds: float) -> str | None:
    """The version of the Prometheus on this machine; None if none answers."""
    try:
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(timeout=seconds, trust_env=False, verify=plain) as client:
            said = (await client.get(f"{PROMETHEUS}/api/v1/status/buildinfo")).json()
        version = said["data"]["version"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, str) else None


async def _ask(client: httpx.AsyncClient, url: str, seconds: float) -> Ops | Stranger | None:
    try:
        async with asyncio.timeout(seconds):
            before = time.time()
            ready, live, metrics = await asyncio.gather(
                *(_get(client, f"{url}/{path}") for path in ("readyz", "livez", "metrics"))
            )
            after = time.time()
    except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol):
        return None
    except (httpx.HTTPError, TimeoutError) as error:
        return Stranger(url=url, what=f"no answer ({type(error).__name__})")
    try:
        answers = ready.json(), live.json()
        waits, wrong = (tuple(map(str, answers[0]["waiting_for"])), tuple(map(str, answers[1]["wrong"])))
    except (ValueError, KeyError, TypeError):
        return Stranger(url=url, what=f"{ready.status_code}, and not as a role answers")
    return ops_of(url, samples_of(metrics.text), waits=waits, wrong=wrong, between=(before, after))


def clock_off(clock: float, between: tuple[float, float]) -> float:
    """Seconds that a clock is ahead of ours, negative if behind, at least: it was read between these two times of ours.
    A slow answer is no wrong clock."""
    before, after = between
    return clock - after if clock > after else min(0.0, clock - before)


async def _get(client: httpx.AsyncClient, url: str) -> httpx.Response:
    async with client.stream("GET", url, headers={"Accept": "text/plain"}) as response:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _LARGEST:
                raise httpx.ReadError("too long an answer")
    return httpx.Response(response.status_code, content=bytes(body))


def samples_of(text: str) -> Samples:
    """The samples that say how a worker is, by name without ``careline_``: labels and value of each."""
    found: defaultdict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    if _WAITS in text:
        found["outreach_waiting"] = []
    for match in _SAMPLE.finditer(text):
        try:
            value = float(match["value"])
        except ValueError:
            continue
        found[match["name"]].append((dict(_LABEL.findall(match["labels"] or "")), value))
    return found


def ops_of(
    url: str, samples: Samples, *, waits: tuple[str, ...], wrong: tuple[str, ...], between: tuple[float, float]
) -> Ops:
    """What a worker said, read. ``between``: our own Unix times before and after it did."""
    # the catalogue has every role's metrics; only those with this process's role have samples
    roles = {labels["role"] for name in ("role_ready", "dependency_up") for labels, _ in samples.get(name, ())}
    lags = samples.get("processor_lag_records", ())
    clock = _only(samples, "clock_seconds")
    in_force = [labels.get("version", "") for labels, value in samples.get("playbook_info", ()) if value == 1]
    built = [labels.get("version", "") for labels, _ in samples.get("build_info", ())]
    waiting = {labels.get("reason", ""): int(value) for labels, value in samples.get("outreach_waiting", ())}
    role = next(iter(roles), "unknown")
    return Ops(
        url=url,
        role=role,
        ready=not waits,
        waiting_for=waits,
        wrong=wrong,
        partitions=tuple(sorted(int(labels["partition"]) for labels, _ in lags)) if lags else None,
        playbook=in_force[0] if in_force else None,
        playbook_refused=_only(samples, "playbook_refused") == 1,
        version=built[0] if built else None,
        lag_seconds=max((value for _, value in samples.get("processor_lag_seconds", ())), default=None),
        lag_records=int(sum(value for _, value in lags)) if lags else None,
        clock_off=None if clock is None else clock_off(clock, between),
        waiting=waiting if role == "outreach" and "outreach_waiting" in samples else None,
        oldest_overdue=_only(samples, "outreach_oldest_overdue_seconds") if role == "outreach" else None,
    )


def _only(samples: Mapping[str, Any], name: str) -> float | None:
    found = [value for _, value in samples.get(name, ())]
    return float(found[0]) if found else None
