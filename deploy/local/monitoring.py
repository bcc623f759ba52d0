"""Prometheus and Alertmanager beside a stack: they watch the roles that run on it, by the project's own rules.

A role started with CARELINE_OPS_TARGETS announces its address in that directory, so Prometheus scrapes exactly the
roles that run.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from deploy.local import preflight, probes
from deploy.local.artifacts import Servers
from deploy.local.errors import PrepareError
from deploy.local.parts import Part, Ports
from deploy.local.place import LOOPBACK, Place
from deploy.local.private import private_directory, write_private

HERE = preflight.HERE.parent / "prometheus"
RULES = HERE / "rules"
ROUTES = HERE.parent / "alertmanager" / "alertmanager.yml"
_TARGETS = "targets"
_ALERTMANAGERS = "alertmanagers.json"
"""Where Prometheus reads the Alertmanager's address, which is known only once that has a port."""
_VERSION = re.compile(r"\bversion (\d+)\.(\d+)")
Answer = Callable[[Sequence[str], Mapping[str, str]], str | None]


@dataclass(frozen=True, slots=True)
class Program:
    """A program of monitoring that has to be on the PATH."""

    names: tuple[str, ...]
    """The upstream binary's and Debian's; the first that is found is run."""
    package: str
    """Debian's package."""
    oldest: tuple[int, int]
    """The oldest version that understands our rules and configuration."""

    @property
    def install(self) -> str:
        """How to get it, for the end of a sentence."""
        return f"`apt install {self.package}`, or put `{self.names[0]}` of https://prometheus.io/download/ on the PATH"


PROMETHEUS = Program(names=("prometheus",), package="prometheus", oldest=(2, 42))
ALERTMANAGER = Program(
    names=("alertmanager", "prometheus-alertmanager"), package="prometheus-alertmanager", oldest=(0, 25)
)
PROGRAMS = (PROMETHEUS, ALERTMANAGER)


def path_of(program: Program, environ: Mapping[str, str], *, answer: Answer = preflight.answer_of) -> str:
    """The program's path. Raises MissingError, in one line, if it is not on the PATH, does not run, or is too old."""
    found = next((at for name in program.names if (at := shutil.which(name, path=environ.get("PATH", "")))), None)
    name = program.names[0]
    if found is None:
        raise preflight.MissingError(f"Careline finds no `{name}` on the PATH for --monitoring: {program.install}.")
    printed = answer((found, "--version"), environ)
    version = _VERSION.search(printed or "")
    if version is None:
        raise preflight.MissingError(f"{found} does not say its version: {program.install}.")
    if (int(version[1]), int(version[2])) < program.oldest:
        oldest = ".".join(map(str, program.oldest))
        raise preflight.MissingError(
            f"{found} is version {version[1]}.{version[2]}, and monitoring needs {oldest} or newer: {program.install}."
        )
    return found


def missing_programs(environ: Mapping[str, str]) -> list[str]:
    """One line for each program that monitoring lacks on this machine; [] if it could start."""
    lines = []
    for program in PROGRAMS:
        try:
            path_of(program, environ)
        except preflight.MissingError as error:
            lines.append(str(error))
    return lines


def demand_programs(environ: Mapping[str, str]) -> None:
    """Raises MissingError if a program is missing or too old; one line for each."""
    if lines := missing_programs(environ):
        raise preflight.MissingError("\n".join(lines))


def targets_of(place: Place) -> dict[str, str]:
    """The roles that have announced themselves: address by role and worker, `journeys-0`."""
    found = {}
    for file in sorted(place.targets.glob("*.json")):
        for entry in json.loads(file.read_text(encoding="utf-8")):
            found[file.stem] = str(entry["targets"][0])
    return found


def forget_the_dead(place: Place) -> None:
    """Delete the announcements of roles that do not answer: those that were killed while nothing watched them."""
    for file in place.targets.glob("*.json"):
        addresses = [entry["targets"][0] for entry in json.loads(file.read_text(encoding="utf-8"))]
        if any(probes.silence(probes.port, address) for address in addresses):
            file.unlink(missing_ok=True)


def scrape_configuration(*, rules: Path = RULES, every: timedelta = timedelta(seconds=1)) -> str:
    """Prometheus's configuration: YAML, as JSON is. The scrape interval is ``every``; paths are beside the file."""
    interval = f"{int(every.total_seconds() * 1000)}ms"
    watched = {"file_sd_configs": [{"files": [f"{_TARGETS}/*.json"], "refresh_interval": "5s"}]}
    settings: dict[str, Any] = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [f"{rules}/*.yml"],
        "alerting": {"alertmanagers": [{"file_sd_configs": [{"files": [_ALERTMANAGERS]}]}]},
        # A process says its own `role`, too; ours is the same.
        "scrape_configs": [{"job_name": "careline", "honor_labels": True, **watched}],
    }
    return json.dumps(settings, indent=2) + "\n"


def without_receivers(routes: Mapping[str, Any]) -> dict[str, Any]:
    """Alertmanager's configuration with the same routes and inhibitions, which tells nobody: a person who runs a stack
    looks at it."""
    kept = {name: value for name, value in routes.items() if name not in ("global", "receivers", "templates")}
    resolve = {name: value for name, value in routes.get("global", {}).items() if name == "resolve_timeout"}
    return {"global": resolve, **kept, "receivers": [{"name": one["name"]} for one in routes["receivers"]]}


def monitoring_parts(*, rules: Path = RULES, routes: Path = ROUTES) -> tuple[Part, Part]:
    """Alertmanager with these routes, and Prometheus with the rules of this directory, as parts of a stack."""

    def alertmanager(place: Place, ports: Ports, servers: Servers, environ: Mapping[str, str]) -> list[str]:
        del servers
        data = private_directory(place.data / "alertmanager")
        address = f"{LOOPBACK}:{ports['alertmanager']}"
        write_private(
            private_directory(place.data / "prometheus") / _ALERTMANAGERS, json.dumps([{"targets": [address]}]) + "\n"
        )
        configured = data / "routes.yml"
        asked = yaml.safe_load(routes.read_text(encoding="utf-8"))
        write_private(configured, json.dumps(without_receivers(asked), indent=2) + "\n")
        return [
            path_of(ALERTMANAGER, environ),
            f"--config.file={configured}",
            f"--storage.path={data / 'data'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",  # one alone: no gossip
        ]

    def prometheus(place: Place, ports: Ports, servers: Servers, environ: Mapping[str, str]) -> list[str]:
        del servers
        data = private_directory(place.data / "prometheus")
        private_directory(place.targets)
        forget_the_dead(place)
        configuration = data / "prometheus.yml"
        write_private(configuration, scrape_configuration(rules=rules))
        return [
            path_of(PROMETHEUS, environ),
            # Relative to the working directory, because the paths in it would be patterns with the home's name in them.
            f"--config.file={configuration.relative_to(place.data)}",
            f"--storage.tsdb.path={data / 'data'}",
            f"--web.listen-address={LOOPBACK}:{ports['prometheus']}",
            # Not native-histograms: before 2.45 it would drop the classic buckets, which our rules read.
            "--enable-feature=exemplar-storage",
        ]

    return (
        Part(
            name="prometheus",
            variable="",
            ports=("prometheus",),
            address=lambda ports: f"http://{LOOPBACK}:{ports['prometheus']}",
            command=_explained(prometheus),
            probe=probes.monitoring,
            watches=True,
        ),
        Part(
            name="alertmanager",
            variable="",
            ports=("alertmanager",),
            address=lambda ports: f"http://{LOOPBACK}:{ports['alertmanager']}",
            command=_explained(alertmanager),
            probe=probes.monitoring,
            grace=timedelta(seconds=5),
            watches=True,
        ),
    )


Command = Callable[[Place, Ports, Servers, Mapping[str, str]], list[str]]


def _explained(command: Command) -> Command:
    def explained(place: Place, ports: Ports, servers: Servers, environ: Mapping[str, str]) -> list[str]:
        try:
            return command(place, ports, servers, environ)
        except preflight.MissingError as error:
            raise PrepareError(str(error)) from error

    return explained


MONITORING = monitoring_parts()
"""Prometheus and Alertmanager with the project's rules and routes."""
