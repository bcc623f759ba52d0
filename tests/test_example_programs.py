"""One example for each concept: run as they stand here, and those that pages show also in tests/test_programs.py, on
real servers."""

from __future__ import annotations

import ast
import asyncio
import re
import runpy
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator

import pytest

from processors.playbook import load_playbook
from processors.roles import wiring
from processors.settings import Settings
from streams import set_up
from streams.broker.memory import MemoryBroker
from tests.test_docs import CODE, ROOT, text

EXAMPLES = ROOT / "examples"
ON_A_STACK = ("publish.py", "publish_with_confluent.py", "subscribe.py", "read_why.py")
ALONE = ("own_policy.py", "without_a_broker.py", "replay_playbook.py")


def body(name: str) -> str:
    """The example without what it says about itself."""
    source = (EXAMPLES / name).read_text(encoding="utf-8")
    [first, *_] = ast.parse(source).body
    return "".join(source.splitlines(keepends=True)[first.end_lineno :]).lstrip("\n")


def blocks(page: str) -> list[str]:
    """The Python programs of a page."""
    return [match["code"] for match in CODE.finditer(text(page)) if match["language"] == "python"]


def test_every_example_is_run() -> None:
    """An example is in one of the lists here, and each list is run."""
    assert {file.name for file in EXAMPLES.glob("*.py")} == {*ON_A_STACK, *ALONE}


def test_every_example_is_listed_with_a_sentence() -> None:
    """Whoever looks for one finds it in the README of the examples, and none that is not there."""
    rows = re.findall(
        r"^\| \[([a-z_]+\.py)\]\(\1\) \| ([A-Z].*\.) \| (a stack|nothing) \|$", text("examples/README.md"), re.M
    )
    assert [(name, needs) for name, _, needs in rows] == [
        *((name, "a stack") for name in ON_A_STACK),
        *((name, "nothing") for name in ALONE),
    ]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("publish.py", "README.md"),
        ("publish_with_confluent.py", "docs/integrating.md"),
        ("subscribe.py", "docs/integrating.md"),
        ("without_a_broker.py", "docs/integrating.md"),
    ],
)
def test_a_page_shows_the_example_itself(name: str, page: str) -> None:
    """What is typed off a page is what is in the file, to the letter."""
    assert body(name) in blocks(page)


def printed(name: str) -> str:
    """What the example prints, run as its README says."""
    program = [sys.executable, str(EXAMPLES / name)]
    return subprocess.run(program, capture_output=True, check=True, text=True, encoding="utf-8").stdout


def test_the_policy_of_ones_own_keeps_its_own_tests() -> None:
    """The tests that stand in the file pass, each as pytest would run it."""
    tests = [
        value for name, value in runpy.run_path(str(EXAMPLES / "own_policy.py")).items() if name.startswith("test_")
    ]
    assert len(tests) == 2
    for test in tests:
        test()


def test_the_policy_of_ones_own_prints_its_letter() -> None:
    """As its customer would read it."""
    letter = printed("own_policy.py")
    assert letter.startswith("Subject: Is all well with your order?\n\nHello Ana,\n")
    assert "Why we wrote: What we sent should be what you hoped for.\n" in letter


def test_a_service_is_tested_without_a_broker() -> None:
    """The example passes by itself, in a process where no server is known."""
    assert printed("without_a_broker.py") == ""


def test_the_replayed_playbook_says_what_would_change() -> None:
    """One passenger would hear more than two hours later, once the wait is known to be longer; nobody else notices."""
    lines = printed("replay_playbook.py").splitlines()
    assert lines[:3] == [
        "p-104",
        "  - 08 Feb 14:20 send notice: wanted",
        "  + 08 Feb 14:20 suppress notice: below_threshold",
    ]
    assert [line for line in lines if not line.startswith("  ")] == ["p-104"]


def main_of(name: str) -> Callable[[], Awaitable[None]]:
    """What the example would run, to be run beside something else."""
    tree = ast.parse((EXAMPLES / name).read_text(encoding="utf-8"))
    assert ast.unparse(tree.body.pop()) == "asyncio.run(main())"
    found: dict[str, Callable[[], Awaitable[None]]] = {}
    exec(compile(tree, name, "exec"), found)
    return found["main"]


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The environment names a broker and a registry in memory, which nobody else has."""
    name = str(uuid.uuid4())
    monkeypatch.setenv("CARELINE_KAFKA_BOOTSTRAP", f"memory://{name}")
    monkeypatch.setenv("CARELINE_REGISTRY_URL", f"memory://{name}")
    yield Settings.from_environment()
    MemoryBroker.forget(name)


async def test_the_examples_say_what_is_known_and_why_nobody_wrote(
    in_memory: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of Ana, whose flight is late, nobody has an address: one example shows her, one the refusal and its reason."""
    await set_up(in_memory)
    journeys = wiring.journeys(in_memory, playbook=load_playbook())
    await journeys.start()
    readers = [asyncio.create_task(main_of(name)()) for name in ("subscribe.py", "read_why.py")]
    printed = ""
    try:
        await main_of("publish.py")()
        async with asyncio.timeout(30):
            while "no_address" not in printed or "letters" not in printed:
                await asyncio.sleep(0.01)
                printed += capsys.readouterr().out
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await journeys.stop()
    assert "ana 1 touchpoints, 0 letters\n" in printed
    assert "ana: delay_care/notice suppress\n  no_address: no address is known on any channel in use\n" in printed
