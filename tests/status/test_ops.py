"""Workers are asked at their ops ports: a role answers as a role, and anything else is told apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from processors.roles.announcing import announced as announce
from processors.settings import Settings
from processors.status.ops import announced, ask_all, clock_off, ops_of, prometheus_version, samples_of
from streams.http.ops import OpsServer
from tests.roles.listening import refused, silent

METRICS = """# HELP careline_build_info x
careline_build_info{version="0.1.0",python="3.11.7"} 1.0
careline_dependency_up{dependency="kafka",role="outreach"} 1.0
careline_playbook_info{version="old"} 0.0
careline_playbook_info{version="5f2c"} 1.0
careline_playbook_refused 1.0
careline_processor_lag_seconds{partition="0",role="outreach"} 2.5
careline_processor_lag_seconds{partition="2",role="outreach"} 0.0
careline_processor_lag_records{partition="0",role="outreach"} 4.0
careline_processor_lag_records{partition="2",role="outreach"} 0.0
careline_outreach_waiting{reason="quiet_hours"} 7.0
careline_outreach_waiting{reason="retry"} 1.0
careline_outreach_oldest_overdue_seconds 42.0
careline_clock_seconds 1000.0
careline_decisions_total{policy="x"} 3.0
"""


def test_what_a_worker_says_is_read() -> None:
    """Of its metrics those that say how it is, and no other."""
    said = ops_of("http://x", samples_of(METRICS), waits=("a",), wrong=(), between=(1003.0, 1004.0))
    assert (said.role, said.ready, said.version, said.playbook) == ("outreach", False, "0.1.0", "5f2c")
    assert (said.partitions, said.lag_seconds, said.lag_records) == ((0, 2), 2.5, 4)
    assert (said.waiting, said.oldest_overdue) == ({"quiet_hours": 7, "retry": 1}, 42.0)
    assert (said.playbook_refused, said.clock_off) == (True, -3.0)


def test_no_letter_waits_where_the_metric_has_no_sample() -> None:
    """That is told from a version that does not count them."""
    text = 'careline_dependency_up{role="outreach"} 1.0\n'
    for known, waiting in ((text, None), (text + "# TYPE careline_outreach_waiting gauge\n", {})):
        said = ops_of("http://x", samples_of(known), waits=(), wrong=(), between=(0.0, 0.0))
        assert said.waiting == waiting


def test_a_slow_answer_is_no_wrong_clock() -> None:
    """Only what lies outside of the time of asking counts."""
    assert [clock_off(clock, (10.0, 12.0)) for clock in (9.0, 10.0, 11.5, 12.0, 14.0)] == [-1.0, 0, 0, 0, 2.0]


@asynccontextmanager
async def serving(status: int, text: str) -> AsyncIterator[str]:
    """Something that answers every path like this."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_role_is_told_from_whatever_else_has_the_port() -> None:
    """A worker that is not ready and one that is, a stranger, one that hangs, and nobody: all at once, in one limit."""
    waits: list[str] = ["Kafka"]
    one = OpsServer(host="127.0.0.1", port=0, live=list, ready=lambda: waits)
    two = OpsServer(host="127.0.0.1", port=0, live=lambda: ["a partition stopped"], ready=list)
    async with one, two, serving(200, "hello") as stranger, silent() as hung:
        urls = [f"http://127.0.0.1:{one.port}/", f"http://127.0.0.1:{two.port}", stranger]
        urls += [f"http://{hung.address}", f"http://{refused()}", "not an address"]
        begun = time.monotonic()
        found, others = await ask_all(urls, seconds=2)
        assert time.monotonic() - begun < 5
    by_url = {one.url: one for one in found}
    assert len(found) == 2
    first, second = by_url[urls[0].rstrip("/")], by_url[urls[1]]
    assert (first.ready, first.waiting_for, first.wrong) == (False, ("Kafka",), ())
    assert (second.ready, second.wrong) == (True, ("a partition stopped",))
    assert {one.url: one.what for one in others} == {
        stranger: "200, and not as a role answers",
        f"http://{hung.address}": "no answer (TimeoutError)",
    }


def test_roles_that_announced_themselves_are_found(tmp_path: Path) -> None:
    """As each role writes it for Prometheus; what else stands in the directory is passed over."""
    settings = Settings(ops_targets=tmp_path, instance="a")
    (tmp_path / "other.json").write_text("[1, {}]")
    (tmp_path / "broken.json").write_text("{")
    with announce("journeys", settings, 9_999), announce("view", settings, 9_998):
        assert announced(tmp_path) == {"http://127.0.0.1:9999": "journeys", "http://127.0.0.1:9998": "view"}
    assert announced(tmp_path) == announced(tmp_path / "nowhere") == announced(None) == {}


async def test_no_prometheus_is_no_finding() -> None:
    """Where none answers there is no version; asking for it never fails."""
    async with asyncio.timeout(5):
        version = await prometheus_version(seconds=1)
    assert version is None or version[0].isdigit()
