"""Prometheus's and Alertmanager's programs in tests: on the PATH, or the test says what is missing and how to get it.

A test that needs one asks the fixture ``monitoring_program`` for it. Where it is missing the test is skipped, and
``left_out`` tells that skip from others; where ``required`` says so it fails.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pytest

REQUIRE = "CARELINE_REQUIRE_MONITORING"


@dataclass(frozen=True, slots=True)
class Program:
    """A program under the names it has on the PATH, Debian's package of it, and where others get it."""

    names: tuple[str, ...]
    package: str
    upstream: str


_PROMETHEUS = "https://prometheus.io/download/#prometheus"
_ALERTMANAGER = "https://prometheus.io/download/#alertmanager"

PROGRAMS: Mapping[str, Program] = {
    "prometheus": Program(("prometheus",), "prometheus", _PROMETHEUS),
    "promtool": Program(("promtool",), "prometheus", _PROMETHEUS),
    "alertmanager": Program(("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager", _ALERTMANAGER),
    "amtool": Program(("amtool",), "prometheus-alertmanager", _ALERTMANAGER),
}

_MISSING = "is not on the PATH; install it with"


def found(name: str) -> str | None:
    """The path of one of ``PROGRAMS``, None if it is not installed."""
    return next((path for one in PROGRAMS[name].names if (path := shutil.which(one))), None)


def missing(name: str) -> str:
    """What to say of a program that is not installed: one line, with the remedy."""
    program = PROGRAMS[name]
    return f"{name} {_MISSING} `apt-get install {program.package}`, or from {program.upstream}"


def left_out(reasons: Iterable[str]) -> tuple[str, ...]:
    """The lines of ``missing`` among the reasons for which tests were skipped, each once."""
    lines = (name for reason in reasons for name in PROGRAMS if missing(name) in reason)
    return tuple(missing(name) for name in dict.fromkeys(lines))


def required(env: Mapping[str, str]) -> bool:
    """Whether a test without its program fails: in CI, and wherever CARELINE_REQUIRE_MONITORING is set and not 0."""
    return env.get("CI", "").lower() in ("1", "true") or env.get(REQUIRE, "0") not in ("", "0")


def program(name: str, *, env: Mapping[str, str] = os.environ) -> str:
    """The path of one of ``PROGRAMS``; skips the test where it is missing, and fails it where it is ``required``."""
    path = found(name)
    if path is not None:
        return path
    if required(env):
        pytest.fail(missing(name), pytrace=False)
    pytest.skip(missing(name))


@pytest.fixture(scope="session")
def monitoring_program() -> Callable[[str], str]:
    """``monitoring_program("promtool")`` is the path of that program; see ``program``."""
    return program
