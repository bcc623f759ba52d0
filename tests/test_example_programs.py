"""One example for each concept: those that need no server run here, the others in tests/test_programs.py."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys

import pytest

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
