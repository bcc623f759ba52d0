"""How commands end: one set of codes, the same in the code, in every page of help and in the documentation."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from processors.cli import app
from processors.cli.exits import Exit, ended, explained
from streams.errors import CarelineError, InvalidEvent, RefusedByServer, SettingsError, Unavailable
from streams.processor.watchdog import HUNG

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "processors" / "cli").glob("*.py"))


def test_the_page_lists_every_code_with_its_meaning() -> None:
    """An operator who reads a code in a log finds it in the table, in the same words."""
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    section = page.partition("## Exit codes")[2].partition("\n## ")[0]
    table = re.findall(r"^\| (\d+) \| (.*) \|$", section, re.MULTILINE)
    assert table == [(str(int(code)), code.meaning) for code in Exit]


def test_a_worker_that_stops_itself_uses_a_code_of_the_set() -> None:
    """A commit that hung can be told from every other end."""
    assert Exit.HUNG == HUNG


def pages() -> dict[str, str]:
    """The help of every command by its words; a former name is hidden, and only says the new one."""
    root = typer.main.get_command(app)
    found: dict[str, str] = {}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        named = {name: command} if below is None else {f"{name} {sub}": one for sub, one in below.items()}
        found |= {words: " ".join((one.help or "").split()) for words, one in named.items() if not one.hidden}
    return found


@pytest.mark.parametrize(("words", "page"), pages().items())
def test_every_page_of_help_says_how_the_command_ends(words: str, page: str) -> None:
    """Each names its codes in order, each once, and none that is not in the set; a role runs until it is stopped."""
    _, said, codes = page.partition("Exit codes: ")
    assert bool(said) is not words.startswith("run ")
    named = [int(code) for code in re.findall(r"(?:^|, )(\d+) ", codes.partition("Example:")[0])]
    assert named == sorted(set(named) & set(Exit))
    assert not said or named[0] == Exit.DONE


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_no_command_has_a_code_of_its_own(source: Path) -> None:
    """What a command ends with is a member of the set, never a number."""
    ends = [
        ast.unparse(node.args[-1])
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Exit", "ended", "os._exit", "sys.exit")
    ]
    assert [one for one in ends if not re.fullmatch(r"code|_code_of\(error\)|Exit\..*", one)] == []
    assert [one for one in ends if re.search(r"\d", one)] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("CARELINE_REDIS_URL: no"), Exit.WRONG),
        (Unavailable("Redis is away"), Exit.UNAVAILABLE),
        (RefusedByServer("not allowed"), Exit.FAILED),
        (InvalidEvent("customer_id", "is empty"), Exit.FAILED),
    ],
)
def test_what_goes_wrong_decides_the_code(error: CarelineError, code: Exit) -> None:
    """A wrong setting is told from a server that is away, and both from a refusal."""
    alone = typer.Typer()

    @alone.command()
    def fail() -> None:
        with explained():
            raise error

    result = CliRunner().invoke(alone, [])
    assert (result.exit_code, result.stderr) == (code, f"{error}\n")


def test_an_end_is_told_on_standard_error() -> None:
    """What a script reads on standard output is never mixed with an explanation."""
    alone = typer.Typer()

    @alone.command()
    def fail() -> None:
        raise ended("there is none", Exit.ABSENT)

    result = CliRunner().invoke(alone, [])
    assert (result.exit_code, result.stdout, result.stderr) == (4, "", "there is none\n")
