"""A real Prometheus reads a real ops port, in each format that it asks for."""

from __future__ import annotations

import json
import random
import socket
import subprocess
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from streams import patience
from streams.http.ops import OpsServer
from streams.metrics import LATENCY
from streams.processor.metrics import EVENT_TO_COMMIT_SECONDS

ROLE = "read-by-prometheus"
NAME = "careline_processor_event_to_commit_seconds"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
WITHIN = timedelta(seconds=60)


class Prometheus:
    """A server that scrapes one ops port five times a second."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def asked(self, path: str, **said: str) -> Any:
        """What its API answers."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self._address}/api/v1/{path}", params=said) as answer,
        ):
            return (await answer.json())["data"]

    async def value(self, expression: str) -> float | None:
        """The value of an expression that has one."""
        found = (await self.asked("query", query=expression))["result"]
        return float(found[0]["value"][1]) if found else None

    async def sees(self, expression: str, met: Callable[[float], bool] = lambda value: True) -> float:
        """The value, once there is one of that kind."""
        seen = 0.0

        async def looked() -> bool:
            nonlocal seen
            try:
                value = await self.value(expression)
            except (aiohttp.ClientError, KeyError):  # it starts
                return False
            seen = seen if value is None else value
            return value is not None and met(value)

        await patience.until(looked, within=WITHIN)
        return seen


@contextmanager
def prometheus(program: str, home: Path, port: int | None, *features: str) -> Iterator[Prometheus]:
    """One that runs with these features for the duration of the block."""
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    often: dict[str, Any] = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "honor_labels": True}
    scrape = often | {"job_name": "careline", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
    (home / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape]}))
    said = [f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data"]
    said += [f"--web.listen-address={address}", f"--enable-feature={','.join(features)}"]
    with (home / "log").open("w") as log, subprocess.Popen([program, *said], stderr=log) as running:
        try:
            yield Prometheus(address)
        finally:
            running.terminate()


@pytest.fixture(scope="module")
def observed() -> list[float]:
    """Latencies over three powers of ten, in seconds, sorted; one of them has a trace."""
    chance = random.Random(14)
    amounts = sorted(chance.lognormvariate(-1.5, 1.2) for _ in range(20_000))
    series = EVENT_TO_COMMIT_SECONDS.labels(role=ROLE)
    for amount in amounts:
        series.observe(amount)
    series.exemplify(0.2, {"trace_id": TRACE})
    return amounts


async def test_native_quantiles_agree_with_classic_ones(
    observed: list[float], tmp_path: Path, monitoring_program: Callable[[str], str]
) -> None:
    """The native one is exact to a few per cent, the classic one to its bucket; all other series are the same."""
    program = monitoring_program("prometheus")
    async with OpsServer(host="127.0.0.1", port=0, live=list, ready=list) as ops:
        with (
            prometheus(program, tmp_path / "native", ops.port, "native-histograms") as native,
            prometheus(program, tmp_path / "classic", ops.port, "exemplar-storage") as classic,
        ):
            await agree(observed, native=native, classic=classic)


async def agree(observed: list[float], *, native: Prometheus, classic: Prometheus) -> None:
    """What two servers have of the same port."""
    all_of_them = float(len(observed)).__eq__
    await native.sees(f'histogram_count({NAME}{{role="{ROLE}"}})', all_of_them)
    await classic.sees(f'{NAME}_count{{role="{ROLE}"}}', all_of_them)
    for quantile in (0.05, 0.5, 0.9, 0.99, 0.999):
        true = observed[int(quantile * len(observed))]
        bucket = bisect_left(LATENCY, true)
        by_native = await native.value(f'histogram_quantile({quantile}, {NAME}{{role="{ROLE}"}})')
        by_classic = await classic.value(f'histogram_quantile({quantile}, {NAME}_bucket{{role="{ROLE}"}})')
        assert by_native == pytest.approx(true, rel=0.05)
        assert by_classic is not None
        assert bisect_left(LATENCY, by_classic) == bucket
    total = await native.value(f'histogram_sum({NAME}{{role="{ROLE}"}})')
    assert total == pytest.approx(sum(observed))
    other = 'count({__name__=~"(careline|process|python)_.+", __name__!~".+_(bucket|count|sum|seconds)"})'
    assert await native.value(other) == await classic.value(other)
    assert await native.value("process_start_time_seconds") == await classic.value("process_start_time_seconds")


@pytest.mark.parametrize("features", [("exemplar-storage",), ("exemplar-storage", "native-histograms")])
async def test_an_exemplar_leads_to_a_trace(
    observed: list[float], tmp_path: Path, monitoring_program: Callable[[str], str], features: tuple[str, ...]
) -> None:
    """In OpenMetrics and in protobuf alike."""
    program = monitoring_program("prometheus")
    found: list[Any] = []
    async with OpsServer(host="127.0.0.1", port=0, live=list, ready=list) as ops:
        with prometheus(program, tmp_path / "home", ops.port, *features) as server:
            await server.sees("up == 1")

            async def looked() -> bool:
                said = {"query": f'{{role="{ROLE}"}}', "start": "0", "end": "9999999999"}
                found[:] = await server.asked("query_exemplars", **said)
                return bool(found)

            await patience.until(looked, within=WITHIN)
    [exemplar] = found[0]["exemplars"]
    assert (exemplar["labels"], exemplar["value"]) == ({"trace_id": TRACE}, "0.2")
