"""What a role shows its operators."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from streams.errors import SettingsError
from streams.http.ops import OpsServer


async def fetch(server: OpsServer, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as response,
    ):
        return response.status, await response.text()


async def test_a_role_is_ready_only_once_it_waits_for_nothing() -> None:
    """Whoever routes work asks /readyz; the answer names what is still missing."""
    waiting_for = ["recovery of partition 2"]
    async with OpsServer(host="127.0.0.1", port=0, live=list, ready=lambda: waiting_for) as server:
        status, body = await fetch(server, "/readyz")
        assert status == 503
        assert body == '{"ready": false, "waiting_for": ["recovery of partition 2"]}'
        waiting_for.clear()
        assert (await fetch(server, "/readyz"))[0] == 200


async def test_a_crash_shows_in_livez() -> None:
    """A process whose work has ended is to be restarted, though it still answers."""
    wrong: list[str] = []
    async with OpsServer(host="127.0.0.1", port=0, live=lambda: wrong, ready=list) as server:
        assert (await fetch(server, "/livez"))[0] == 200
        wrong.append("the journeys stopped: PartitionStopped")
        status, body = await fetch(server, "/livez")
        assert status == 503
        assert "PartitionStopped" in body


async def test_metrics_of_the_catalogue_and_of_the_process_are_served() -> None:
    """One scrape gives both what the role did and what it costs."""
    async with OpsServer(host="127.0.0.1", port=0, live=list, ready=list) as server:
        status, body = await fetch(server, "/metrics")
    assert status == 200
    assert "careline_view_rebuilds_total" in body
    assert "process_resident_memory_bytes" in body
    assert body.count("# HELP python_info ") == 1


async def test_a_role_adds_pages_of_its_own() -> None:
    """The measurements are read where the metrics are."""
    pages = {"/measurements": lambda: {"letters": 3}}
    async with OpsServer(host="127.0.0.1", port=0, live=list, ready=list, routes=pages) as server:
        assert await fetch(server, "/measurements") == (200, '{"letters": 3}')


async def test_without_a_port_nothing_is_served() -> None:
    """No setting, no open port."""
    async with OpsServer(host="127.0.0.1", port=None, live=list, ready=list) as server:
        assert server.port is None


async def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    """Two roles on one port is a mistake in the settings, said as such."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"CARELINE_OPS_PORT.*{port}"):
            await OpsServer(host="127.0.0.1", port=port, live=list, ready=list).start()
