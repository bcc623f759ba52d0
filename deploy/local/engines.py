"""Runs the parts of a stack, as programs on this machine or as containers."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Protocol

from deploy.local import artifacts, preflight, processes
from deploy.local.errors import PrepareError
from deploy.local.parts import Part, child_environment
from deploy.local.place import Place, Started
from deploy.local.progress import Report

_CONTAINERS = ("kafka", "registry", "redis")
"""The compose file's services for a local stack. The mail sink is a program of ours even then: its directory is on this
machine, and no image has to be built first."""


class Engine(Protocol):
    """Starts and stops parts."""

    def prepare(self, report: Report) -> None:
        """Download what the parts need, reporting progress to `report`. Raises FetchError, PrepareError."""

    def start(self, part: Part, ports: Mapping[str, int]) -> processes.Identity | None:
        """Start a part; returns None if it has no pid on this machine. Raises PrepareError, FetchError, OSError."""

    def alive(self, part: Part, started: Started) -> bool:
        """Whether the part runs, ready or not."""

    def stop(self, parts: Mapping[Part, Started], *, purge: bool = False) -> None:
        """Stop these parts, by force if they do not end in time; `purge` deletes their data outside of the home."""


class Programs:
    """Every part is a program on this machine."""

    def __init__(self, place: Place, environ: Mapping[str, str]) -> None:
        self._place = place
        self._environ = environ

    def prepare(self, report: Report) -> None:
        """Download the servers, the first time."""
        artifacts.servers(self._environ, report)

    def start(self, part: Part, ports: Mapping[str, int]) -> processes.Identity | None:
        """Start the program, detached from this one."""
        servers = _NO_SERVERS if part.watches else artifacts.servers(self._environ)
        argv = part.command(self._place, ports, servers, self._environ)
        return processes.launch(
            argv,
            mark=self._place.mark(part.name),
            directory=self._place.data,
            log=self._place.log(part.name),
            environ=child_environment(self._environ),
        )

    def alive(self, part: Part, started: Started) -> bool:
        """Whether the recorded process is alive."""
        del part
        return started.process is not None and started.process.alive()

    def stop(self, parts: Mapping[Part, Started], *, purge: bool = False) -> None:
        """Stop the recorded processes, and any whose pid was not recorded, all at the same time."""
        del purge
        names = {part.name for part in parts}
        known = {started.process for started in parts.values() if started.process}
        stray = {identity for name in names for identity in processes.marked(self._place.mark(name))}
        if known or stray:
            processes.stop(known | stray, grace=max((part.grace for part in parts), default=timedelta()))


class Containers:
    """Kafka, the registry and Redis are containers of the compose file; the mail sink runs on this machine."""

    def __init__(
        self,
        place: Place,
        environ: Mapping[str, str],
        *,
        run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run,
    ) -> None:
        self._place = place
        self._environ = environ
        self._programs = Programs(place, environ)
        self._run = run
        self._starting = threading.Lock()
        # One project for each home, to keep stacks apart.
        self.project = "careline-" + hashlib.sha256(str(place.home).encode()).hexdigest()[:10]

    def prepare(self, report: Report) -> None:
        """Pull the images, the first time."""
        report.note("pulling the images that are not here yet")
        self._compose("pull", "--quiet", "--policy", "missing", *_CONTAINERS, ports={})

    def start(self, part: Part, ports: Mapping[str, int]) -> processes.Identity | None:
        """Start the part's service with its port published on loopback."""
        if part.name not in _CONTAINERS:
            argv = part.command(self._place, ports, _NO_SERVERS, self._environ)
            return processes.launch(
                argv,
                mark=self._place.mark(part.name),
                directory=self._place.data,
                log=self._place.log(part.name),
                environ=child_environment(self._environ),
            )
        # One after the other: the first creates the project's network, and two at once would conflict.
        with self._starting:
            self._compose("up", "--detach", "--no-deps", part.name, ports=ports)
        return None

    def alive(self, part: Part, started: Started) -> bool:
        """Whether the service's container runs."""
        if part.name not in _CONTAINERS:
            return self._programs.alive(part, started)
        return bool(self._compose("ps", "--status", "running", "--quiet", part.name, ports=started.ports).strip())

    def stop(self, parts: Mapping[Part, Started], *, purge: bool = False) -> None:
        """Remove the containers, and with `purge` their volumes."""
        self._programs.stop({part: started for part, started in parts.items() if part.name not in _CONTAINERS})
        mine: Collection[str] = [part.name for part in parts if part.name in _CONTAINERS]
        if purge:
            self._compose("down", "--volumes", "--remove-orphans", ports={})
        elif mine:
            self._compose("rm", "--stop", "--force", *mine, ports={})

    def _compose(self, *words: str, ports: Mapping[str, int]) -> str:
        argv = [
            "docker",
            "compose",
            "--project-name",
            self.project,
            "--file",
            str(preflight.COMPOSE_FILE),
            *words,
        ]
        numbers = {f"CARELINE_{name.upper()}_PORT": str(port) for name, port in ports.items()}
        try:
            done = self._run(argv, env={**self._environ, **numbers}, capture_output=True, text=True, check=False)
        except OSError as error:
            raise PrepareError(f"docker could not be run: {error}") from error
        if done.returncode:
            raise PrepareError(f"`{' '.join(argv)}` failed:\n{(done.stderr or done.stdout).strip()}")
        return done.stdout


_NO_SERVERS = artifacts.Servers(kafka=preflight.HERE, registry=preflight.HERE)
"""The mail sink runs from this package, and monitoring from the PATH: both use neither directory."""


def engine_for(mode: str, place: Place, environ: Mapping[str, str]) -> Engine:
    """The engine for a mode, "local" or "docker"."""
    return Containers(place, environ) if mode == "docker" else Programs(place, environ)
