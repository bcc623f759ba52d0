"""What a person is told before anything starts."""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deploy.local import preflight
from deploy.local.preflight import (
    ADDRESS_VARIABLES,
    Machine,
    MissingError,
    choose,
    java_version,
    missing_of_python,
)

EVERYTHING = Machine(java=17, maven=True, docker=True, servers_cached=False)
ADDRESSES = dict.fromkeys(ADDRESS_VARIABLES, "somewhere:1")


def never() -> Machine:
    raise AssertionError("the machine was looked at without need")


def test_addresses_of_running_servers_come_first_and_nothing_is_looked_for() -> None:
    """Somebody who names all four servers needs neither Docker nor Java."""
    assert choose(ADDRESSES, never) == "env"


def test_three_addresses_of_four_are_not_a_stack() -> None:
    """A forgotten CARELINE_SMTP_URL in a profile must not stop the stack from being started."""
    assert choose({"CARELINE_SMTP_URL": "smtp://mail"}, lambda: EVERYTHING) == "docker"


@pytest.mark.parametrize(
    ("machine", "chosen"),
    [
        (EVERYTHING, "docker"),
        (EVERYTHING._replace(docker=False), "local"),
        (EVERYTHING._replace(docker=False, java=21), "local"),
        (EVERYTHING._replace(docker=False, maven=False, servers_cached=True), "local"),
        (EVERYTHING._replace(java=None, maven=False), "docker"),
    ],
)
def test_a_docker_engine_comes_before_java(machine: Machine, chosen: str) -> None:
    """The order is: addresses, Docker, Java with Maven; Maven is needed only until the servers are copied."""
    assert choose({}, lambda: machine) == chosen


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        (Machine(java=11, maven=False, docker=False, servers_cached=False), "Java 11, no mvn"),
        (Machine(java=None, maven=True, docker=False, servers_cached=False), "no Java, Maven"),
        (Machine(java=17, maven=False, docker=False, servers_cached=False), "Java 17, no mvn"),
        (Machine(java=11, maven=False, docker=False, servers_cached=True), "Java 11"),
    ],
)
def test_what_is_missing_is_named_in_one_line(machine: Machine, told: str) -> None:
    """The line says what was found, what is needed, and how to get it."""
    with pytest.raises(MissingError) as failure:
        choose({}, lambda: machine)
    line = str(failure.value)
    assert "\n" not in line
    assert told in line
    assert "a Docker engine, or Java 17+ and Maven" in line
    assert "apt install" in line


def test_a_forced_choice_is_kept() -> None:
    """CARELINE_STACK=local wins over a Docker engine and over addresses."""
    assert choose({"CARELINE_STACK": "local"}, lambda: EVERYTHING) == "local"
    assert choose(ADDRESSES | {"CARELINE_STACK": "docker"}, lambda: EVERYTHING) == "docker"
    assert choose(ADDRESSES | {"CARELINE_STACK": "env"}, never) == "env"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"CARELINE_STACK": "env", "CARELINE_REDIS_URL": "redis://r"},
            "CARELINE_KAFKA_BOOTSTRAP, CARELINE_REGISTRY_URL",
        ),
        ({"CARELINE_STACK": "docker"}, "docker info"),
        ({"CARELINE_STACK": "local"}, "Careline needs Java 17+ and Maven"),
        ({"CARELINE_STACK": "podman"}, "podman is unknown"),
    ],
)
def test_a_forced_choice_that_cannot_be_had_is_refused(environ: dict[str, str], told: str) -> None:
    """It is never swapped for another one in silence."""
    with pytest.raises(MissingError) as failure:
        choose(environ, lambda: preflight.NOTHING)
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


def test_a_client_without_an_engine_is_no_docker(tmp_path: Path) -> None:
    """`docker info` fails, so the machine has Java and Maven, and no Docker."""
    asked: list[Sequence[str]] = []

    def answer(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
        asked.append(argv)
        return 'openjdk version "17.0.1"' if argv[-1] == "-version" else None

    (tmp_path / "mvn").touch(mode=0o755)
    found = preflight.inspect({"CARELINE_CACHE": str(tmp_path / "cache"), "PATH": str(tmp_path)}, answer=answer)
    assert found == Machine(java=17, maven=True, docker=False, servers_cached=False)
    assert ("docker", "info") in asked


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
    """It exits 0 with the addresses given, and 1 with one line where nothing is to be had."""
    assert run_alone(**ADDRESSES).returncode == 0
    bare = run_alone(PATH=str(tmp_path), CARELINE_CACHE=str(tmp_path), HOME=str(tmp_path))
    assert bare.returncode == 1
    assert bare.stdout == ""
    assert len(bare.stderr.splitlines()) == 1
    assert "no Java, no mvn, no Docker engine" in bare.stderr


def test_an_older_python_gets_the_message_and_no_syntax_error() -> None:
    """The file parses on Python 3.8, or it could not tell anybody there what is missing."""
    ast.parse(Path(preflight.__file__).read_text(), feature_version=(3, 8))


def test_the_cache_follows_the_pom(tmp_path: Path) -> None:
    """Where it is kept can be chosen; else it is where caches are kept."""
    chosen = preflight.cache_directory({"CARELINE_CACHE": str(tmp_path)})
    assert chosen.parent == tmp_path
    assert preflight.cache_directory({"XDG_CACHE_HOME": str(tmp_path)}).parent == tmp_path / "careline"
    assert os.sep not in chosen.name
