"""Prometheus and Alertmanager beside a stack: which programs are good enough, where they listen, what they scrape."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from typer.testing import CliRunner

from deploy.local import MissingError, Stack, StackError, State
from deploy.local.monitoring import ALERTMANAGER, MONITORING, PROMETHEUS, Program, missing_programs, path_of, targets_of
from deploy.local.place import Place
from processors.cli.exits import Exit
from processors.cli.stack import app
from processors.roles.announcing import announced
from processors.settings import Settings
from tests.deploy.test_stack_rules import SMALL, connect, environ, left, small

__all__ = ["environ"]  # a fixture


def program(directory: Path, name: str, printed: str) -> Path:
    """A program that prints one line, whatever it is asked."""
    directory.mkdir(exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\necho '{printed}'\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(
    ("wanted", "name", "printed"),
    [
        (PROMETHEUS, "prometheus", "prometheus, version 2.42.0+ds (branch: debian/sid)"),
        (PROMETHEUS, "prometheus", "prometheus, version 3.5.0 (branch: HEAD, revision: 8be3a95)"),
        (ALERTMANAGER, "alertmanager", "alertmanager, version 0.28.1 (branch: HEAD)"),
        (ALERTMANAGER, "prometheus-alertmanager", "alertmanager, version 0.25.0 (branch: debian/sid)"),
    ],
)
def test_debians_programs_and_the_upstream_ones_are_found(
    tmp_path: Path, wanted: Program, name: str, printed: str
) -> None:
    """Under either name."""
    file = program(tmp_path, name, printed)
    assert path_of(wanted, {"PATH": str(tmp_path)}) == str(file)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (None, "finds no `prometheus` on the PATH"),
        ("prometheus, version 2.31.2 (branch: HEAD)", "is version 2.31, and monitoring needs 2.42 or newer"),
        ("Segmentation fault", "does not say its version"),
    ],
)
def test_a_program_that_is_missing_or_too_old_is_one_line_with_the_way_to_install_it(
    tmp_path: Path, printed: str | None, told: str
) -> None:
    """Debian's package, and where the upstream binary is."""
    if printed is not None:
        program(tmp_path, "prometheus", printed)
    with pytest.raises(MissingError) as failure:
        path_of(PROMETHEUS, {"PATH": str(tmp_path)})
    line = str(failure.value)
    assert told in line
    assert "`apt install prometheus`" in line
    assert "prometheus.io/download" in line
    assert "\n" not in line


def test_up_with_monitoring_on_a_machine_without_it_starts_nothing(tmp_path: Path) -> None:
    """A line for each program, an exit code of its own, and no home is made."""
    unset = dict.fromkeys(("CARELINE_KAFKA_BOOTSTRAP", "CARELINE_STACK"))
    result = CliRunner().invoke(
        app, ["up", "--monitoring"], env={**unset, "PATH": str(tmp_path), "CARELINE_HOME": str(tmp_path / "home")}
    )
    assert result.exit_code == Exit.ABSENT
    assert len(result.stderr.splitlines()) == 2
    assert "apt install prometheus-alertmanager" in result.stderr
    assert not (tmp_path / "home").exists()
    assert len(missing_programs({"PATH": str(tmp_path)})) == 2


WATCHERS = tuple(small(part.name) for part in MONITORING)
"""Small servers in place of Prometheus and Alertmanager."""


@pytest.fixture
def watched(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A machine with programs of the right names and versions."""
    for wanted in (PROMETHEUS, ALERTMANAGER):
        program(tmp_path / "bin", wanted.names[0], f"{wanted.names[0]}, version 9.0.0")
    return environ | {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{environ['PATH']}"}


@pytest.fixture
def home(tmp_path: Path, watched: dict[str, str]) -> Iterator[Path]:
    """A home that is taken down afterwards, whatever the test found."""
    yield tmp_path / "home"
    of(tmp_path / "home", watched).down()


def of(home: Path, environ: dict[str, str], *, monitoring: bool = False) -> Stack:
    """The stack of small servers in this home."""
    return Stack(home, environ=environ, parts=SMALL, watchers=WATCHERS, monitoring=monitoring)


def test_monitoring_starts_and_ends_with_its_stack(home: Path, watched: dict[str, str]) -> None:
    """It is in the status while it is wanted, and roles are told where to announce themselves."""
    assert of(home, watched, monitoring=True).up()
    assert len(left(home)) == 6
    status = of(home, watched).status()
    assert status.running
    assert [part.name for part in status.parts if part.watches] == ["prometheus", "alertmanager"]
    assert of(home, watched).environment()["CARELINE_OPS_TARGETS"] == str(Place(home).targets)
    assert not of(home, watched, monitoring=True).up()
    assert of(home, watched).down()
    assert left(home) == []
    assert [part.state for part in of(home, watched).status().parts] == [State.STOPPED] * 4
    assert "CARELINE_OPS_TARGETS" not in of(home, watched).environment()


def test_monitoring_can_be_added_to_a_stack_that_runs(home: Path, watched: dict[str, str]) -> None:
    """The servers stay as they are; a plain `up` afterwards leaves the monitoring as it is."""
    of(home, watched).up()
    before = left(home)
    assert of(home, watched, monitoring=True).up()
    assert set(before) < set(left(home))
    assert len(left(home)) == 6
    assert not of(home, watched).up()
    assert len(left(home)) == 6


def test_monitoring_runs_here_where_the_servers_are_somebody_elses(home: Path, watched: dict[str, str]) -> None:
    """Nothing else is started, and `down` ends it."""
    of(home, watched).up()
    addresses = of(home, watched).environment()
    foreign = {name: value for name, value in watched.items() if name != "CARELINE_STACK"} | addresses
    other = home.parent / "other"
    try:
        assert of(other, foreign, monitoring=True).up()
        assert len(left(other)) == 2
        status = of(other, foreign).status()
        assert (status.mode, len(status.parts), status.running) == ("env", 6, True)
        assert of(other, foreign).environment().items() > addresses.items()
        assert not of(other, foreign, monitoring=True).up()
    finally:
        assert of(other, foreign).down()
    assert left(other) == []
    assert of(home, watched).status().running


def test_a_port_that_is_taken_is_told_and_nothing_is_left(home: Path, watched: dict[str, str]) -> None:
    """With the setting that asked for it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            StackError, match=f"port {port} for prometheus is taken by another program.*PROMETHEUS_PORT"
        ):
            of(home, watched | {"CARELINE_PROMETHEUS_PORT": str(port)}, monitoring=True).up()
    assert left(home) == []
    with pytest.raises(StackError, match="CARELINE_ALERTMANAGER_PORT=http is no port"):
        of(home, watched | {"CARELINE_ALERTMANAGER_PORT": "http"}, monitoring=True).up()
    assert of(home, watched | {"CARELINE_PROMETHEUS_PORT": str(port)}, monitoring=True).up()
    [address] = [part.address for part in of(home, watched).status().parts if part.name == "prometheus"]
    assert address.endswith(f":{port}")
    connect(address)


def test_the_roles_that_are_watched_are_named(tmp_path: Path) -> None:
    """By role and worker."""
    place = Place(tmp_path)
    place.targets.mkdir(parents=True)
    announced = [{"targets": ["127.0.0.1:9101"], "labels": {"role": "journeys"}}]
    (place.targets / "careline.journeys-0.json").write_text(json.dumps(announced))
    assert targets_of(place) == {"careline.journeys-0": "127.0.0.1:9101"}


def asked(address: str, path: str) -> Any:
    """The data of an answer of Prometheus's API."""
    return httpx.get(f"{address}/api/v1/{path}", timeout=5, trust_env=False).json()["data"]


def until(met: Callable[[], bool], what: str) -> None:
    """Wait for it, at most 20 seconds."""
    limit = time.monotonic() + 20
    while not met():
        assert time.monotonic() < limit, what
        time.sleep(0.1)


def test_the_real_prometheus_scrapes_exactly_the_roles_that_run(
    home: Path, environ: dict[str, str], monitoring_program: Callable[[str], str]
) -> None:
    """From the second after a role has announced itself, with its role as label, until it ends; and it knows the
    Alertmanager and our rules."""
    for name in ("prometheus", "alertmanager"):
        monitoring_program(name)
    stack = Stack(home, environ=environ, parts=SMALL, monitoring=True)
    assert stack.up()
    try:
        addresses = {part.name: part.address for part in stack.status().parts}
        prometheus = addresses["prometheus"]
        until(lambda: bool(asked(prometheus, "alertmanagers")["activeAlertmanagers"]), "no Alertmanager")
        [known] = asked(prometheus, "alertmanagers")["activeAlertmanagers"]
        assert known["url"].startswith(addresses["alertmanager"])
        assert asked(prometheus, "targets")["activeTargets"] == []
        registry = CollectorRegistry()
        Gauge("careline_drawn", "Drawn.", ["role"], registry=registry).labels("view").set(7)
        server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
        settings = Settings.from_environment(stack.environment())
        with announced("view", settings, server.server_port):
            found: list[Any] = []

            def seen() -> bool:
                found[:] = asked(prometheus, "query?query=careline_drawn")["result"]
                return bool(found)

            until(seen, "not scraped")
            labels = found[0]["metric"]
            assert (labels["job"], labels["role"], labels["instance"]) == (
                "careline", "view", f"127.0.0.1:{server.server_port}",
            )  # fmt: skip
        until(lambda: asked(prometheus, "targets")["activeTargets"] == [], "still a target")
        server.shutdown()
        server.server_close()
        thread.join()
    finally:
        assert stack.down()
    assert left(home) == []


def test_the_roles_that_were_killed_while_nothing_watched_are_forgotten(
    home: Path, environ: dict[str, str], monitoring_program: Callable[[str], str]
) -> None:
    """Else an old address would be down for ever; one that answers is kept."""
    monitoring_program("prometheus")
    monitoring_program("alertmanager")
    place = Place(home)
    place.targets.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as running, socket.create_server(("127.0.0.1", 0)) as ended:
        for name, server in (("running", running), ("ended", ended)):
            entry = [{"targets": [f"127.0.0.1:{server.getsockname()[1]}"], "labels": {"role": name}}]
            (place.targets / f"{name}.json").write_text(json.dumps(entry))
        ended.close()
        stack = Stack(home, environ=environ, parts=SMALL, monitoring=True)
        stack.up()
        assert set(targets_of(place)) == {"running"}
        stack.down()
