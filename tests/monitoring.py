"""Prometheus's and Alertmanager's programs in tests: on the PATH, or the test says what is missing and how to get it.

A test that needs one asks the fixture ``monitoring_program`` for it. Where it is missing the test is skipped, and
``left_out`` tells that skip from others; where ``required`` says so it fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest

from deploy.local.monitoring import ALERTMANAGER, PROMETHEUS, Program, path_of
from deploy.local.preflight import MissingError

_UPSTREAM = "https://prometheus.io/download/"
REQUIRE = "CARELINE_REQUIRE_MONITORING"

PROGRAMS: Mapping[str, Program] = {
    "prometheus": PROMETHEUS,
    "promtool": replace(PROMETHEUS, names=("promtool",)),
    "alertmanager": ALERTMANAGER,
    "amtool": replace(ALERTMANAGER, names=("amtool",)),
}
"""Each tool is of the package of its server, and of the same version."""


def found(name: str, *, env: Mapping[str, str] = os.environ) -> str | None:
    """The path of one of ``PROGRAMS``, None if it is not installed or too old."""
    try:
        return path_of(PROGRAMS[name], env)
    except MissingError:
        return None


def missing(name: str) -> str:
    """What to say of a program that is not installed: one line, with the remedy."""
    package = PROGRAMS[name].package
    return f"{name} is not on the PATH, or too old; install it with `apt-get install {package}`, or from {_UPSTREAM}"


def left_out(reasons: Iterable[str]) -> tuple[str, ...]:
    """The lines of ``missing`` among the reasons for which tests were skipped, each once."""
    names = (name for reason in reasons for name in PROGRAMS if missing(name) in reason)
    return tuple(missing(name) for name in dict.fromkeys(names))


def required(env: Mapping[str, str]) -> bool:
    """Whether a test without its program fails: in CI, and wherever CARELINE_REQUIRE_MONITORING is set and not 0."""
    return env.get("CI", "").lower() in ("1", "true") or env.get(REQUIRE, "0") not in ("", "0")


def program(name: str, *, env: Mapping[str, str] = os.environ) -> str:
    """The path of one of ``PROGRAMS``; skips the test where it is missing, and fails it where it is ``required``."""
    path = found(name, env=env)
    if path is not None:
        return path
    if required(env):
        pytest.fail(missing(name), pytrace=False)
    pytest.skip(missing(name))


@pytest.fixture(scope="session")
def monitoring_program() -> Callable[[str], str]:
    """``monitoring_program("promtool")`` is the path of that program; see ``program``."""
    return program
