"""What every role shows of itself."""

from __future__ import annotations

import subprocess
import sys
import time

import structlog

from processors.roles.role import Role
from processors.roles.running import ops_of
from processors.roles.standing import count_message, show
from processors.settings import Settings
from streams.metrics import REGISTRY
from tests.streams.given import prepared
from tests.streams.test_ops import fetch


class Standing(Role):
    """A role that waits for what a test says."""

    name = "standing"
    lacks: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        return list(self.lacks)

    def broken(self) -> list[str]:
        return list(self.wrong)


def seen(name: str) -> float | None:
    """The figure that /metrics has for the role."""
    return REGISTRY.get_sample_value(name, {"role": "standing"})


async def test_a_role_shows_whether_it_is_ready_and_live() -> None:
    """At the moment of the scrape: before its start, while it waits, and when it has to be restarted."""
    _, registry = await prepared()
    role = Standing(registry=registry)
    show(role)
    assert (seen("careline_role_ready"), seen("careline_role_live")) == (0, 1)
    async with role:
        show(role)
        assert seen("careline_role_ready") == 1
        role.lacks, role.wrong = ("partitions",), ("partition 0 stopped",)
        show(role)
        assert (seen("careline_role_ready"), seen("careline_role_live")) == (0, 0)


async def test_each_scrape_tells_how_the_role_is_now() -> None:
    """Its version and its clock too; nothing has to happen in between."""
    _, registry = await prepared()
    role = Standing(registry=registry)
    async with ops_of(role, Settings(ops_port=0)) as ops:
        began = time.time()
        _, body = await fetch(ops, "/metrics")
        assert 'careline_build_info{python="3' in body
        shown = REGISTRY.get_sample_value("careline_clock_seconds")
        assert shown is not None
        assert began <= shown <= time.time()
        assert 'careline_role_ready{role="standing"} 0.0' in body


def test_warnings_and_errors_of_the_log_are_counted() -> None:
    """A critical line is an error; what is only worth knowing is not counted."""

    def counted() -> list[float]:
        values = (
            REGISTRY.get_sample_value("careline_log_messages_total", {"level": at}) for at in ("warning", "error")
        )
        return [value or 0 for value in values]

    before = counted()
    log = structlog.wrap_logger(
        structlog.PrintLogger(), processors=[structlog.processors.add_log_level, count_message, lambda *_: ""]
    )
    log.info("started")
    log.warning("slow")
    log.error("failed")
    log.critical("hangs")
    assert [now - was for now, was in zip(counted(), before, strict=True)] == [1, 2]


def test_a_role_that_has_not_warned_yet_shows_none() -> None:
    """Zero warnings and errors are figures of a fresh process: a panel without an answer would look like a fault."""
    program = (
        "import processors.metrics; from streams.metrics import REGISTRY; "
        "print([REGISTRY.get_sample_value('careline_log_messages_total', {'level': a}) for a in ('warning', 'error')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[0.0, 0.0]"
