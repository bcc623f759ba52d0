"""The programs of the pages run as they stand there: typed off the README and docs/integrating.md."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from processors.cli.publish import read_line
from streams.config import Settings
from streams.events import ProfileUpdated
from tests.live.reading import messages, until
from tests.live.roles import Role
from tests.test_docs import CODE, ROOT, text


def programs(page: str) -> list[str]:
    """The Python programs of a page, in its order."""
    return [match["code"] for match in CODE.finditer(text(page)) if match["language"] == "python"]


def profile() -> str:
    """The README's line that publishes Ana's profile, for a shell."""
    [line] = re.findall(r"^echo .* \| careline publish$", text("README.md"), re.MULTILINE)
    return str(line)


def test_the_readme_publishes_in_fifteen_lines() -> None:
    """One program, short enough to read at a glance."""
    [program] = programs("README.md")
    assert len([line for line in program.splitlines() if line.strip()]) <= 15


def test_the_readme_shows_lines_of_the_demo() -> None:
    """What the README shows of the demo is on the page that shows all of it."""
    [shown] = [match["code"] for match in CODE.finditer(text("README.md")) if match["language"] == "text"]
    whole = text("docs/demo.md").splitlines()
    assert [line for line in shown.splitlines() if line not in {"", "...", *whole}] == []


def test_the_readmes_profile_is_one_of_the_contract() -> None:
    """It is accepted as it stands there; no server is needed to see that."""
    line = shlex.split(profile())[1]
    event = read_line(line.encode(), now=datetime.now(UTC))
    assert isinstance(event, ProfileUpdated)
    assert event.customer_id == "ana"


async def run(program: str, env: dict[str, str], *, lines: int) -> list[str]:
    """The program's first so many lines; with 0 all of it until it ends by itself, which has to be well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=env, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            if lines:
                return [(await process.stdout.readline()).decode() for _ in range(lines)]
            printed = (await process.stdout.read()).decode().splitlines()
            assert await process.wait() == 0
            return printed
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_test_without_a_broker_runs() -> None:
    """Typed off docs/integrating.md: a publisher and a subscriber of one process, and no server."""
    *_, without = programs("docs/integrating.md")
    assert "memory://" in without
    assert await run(without, dict(os.environ), lines=0) == []


async def publish_profile(env: dict[str, str]) -> None:
    """Runs the README's line with a shell, as a reader would."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_shell(profile(), env=env | {"PATH": path}, cwd=ROOT)
    async with asyncio.timeout(60):
        assert await process.wait() == 0


@pytest.mark.live
async def test_the_readmes_program_runs(settings: Settings, role_env: dict[str, str]) -> None:
    """Typed off the README: Ana's profile and a delay are two touchpoints of her journey, and a letter is requested."""
    [program] = programs("README.md")
    async with Role("journeys", role_env):
        await publish_profile(role_env)
        [place] = await run(program, role_env, lines=0)
        assert role_env["CARELINE_TOPIC_PREFIX"] in place
        requested = await until(lambda: messages(settings, "outreach"), lambda seen: len(seen) > 0)
    assert {type(one.record).__name__ for one in requested} == {"OutreachRequested"}
    assert {one.key for one in requested} == {"ana"}


@pytest.mark.live
async def test_the_programs_of_integrating_run(settings: Settings, role_env: dict[str, str]) -> None:
    """Two publishers and a subscriber; three touchpoints are in Ana's journey, and a decision."""
    ours, foreign, subscribe, _ = programs("docs/integrating.md")
    async with Role("journeys", role_env):
        [place] = await run(ours, role_env, lines=0)
        assert role_env["CARELINE_TOPIC_PREFIX"] in place
        assert await run(foreign, role_env, lines=0) == []
        journeys = await until(
            lambda: messages(settings, "journeys"),
            lambda seen: [getattr(one.record, "touchpoints", 0) for one in seen][-1:] == [3],
        )
        assert {one.key for one in journeys} == {"ana"}
        [line] = await run(subscribe, role_env, lines=1)
    assert line.startswith("ana ")
    decided = await messages(settings, "decisions")
    assert {type(one.record).__name__ for one in decided} == {"Decision"}


@pytest.mark.live
async def test_the_example_says_why_somebody_did_not_hear(settings: Settings, role_env: dict[str, str]) -> None:
    """Of Ana, whose flight is late, nobody has an address: the example reads the decision and its reason."""
    publish, why = ((ROOT / "examples" / name).read_text(encoding="utf-8") for name in ("publish.py", "read_why.py"))
    async with Role("journeys", role_env):
        await run(publish, role_env, lines=0)
        decided, reason = await run(why, role_env, lines=2)
    assert decided.rstrip() == "ana: delay_care/notice suppress"
    assert reason.startswith("  no_address: ")
