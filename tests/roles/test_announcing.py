"""How a Prometheus on the same machine learns which roles run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from processors.roles.announcing import announced
from processors.settings import Settings


def told(directory: Path) -> dict[str, object]:
    """The announcements by file name, as Prometheus reads them."""
    return {file.name: json.loads(file.read_text()) for file in directory.glob("*.json")}


def test_a_role_is_announced_for_as_long_as_it_runs(tmp_path: Path) -> None:
    """With its address and its role; afterwards nothing is left."""
    settings = Settings(ops_targets=tmp_path / "targets")
    with announced("journeys", settings, 9101):
        expected = [{"targets": ["127.0.0.1:9101"], "labels": {"role": "journeys"}}]
        assert told(tmp_path / "targets") == {"careline.journeys-0.json": expected}
    assert list((tmp_path / "targets").iterdir()) == []


def test_workers_and_prefixes_have_announcements_of_their_own(tmp_path: Path) -> None:
    """Whatever characters their names have."""
    one = Settings(ops_targets=tmp_path, instance="a/b *")
    other = Settings(ops_targets=tmp_path, instance="a/b *", topic_prefix="test.")
    with announced("view", one, 1), announced("view", other, 2), announced("measure", one, 3):
        assert len(told(tmp_path)) == 3
    assert told(tmp_path) == {}


def test_a_worker_that_was_killed_is_replaced_by_the_next_of_its_name(tmp_path: Path) -> None:
    """Its announcement stays until then, so that Prometheus notices; and the old one's end takes nothing away."""
    settings = Settings(ops_targets=tmp_path)
    killed = announced("view", settings, 1)
    killed.__enter__()
    with announced("view", settings, 2):
        killed.__exit__(None, None, None)
        assert told(tmp_path) == {"careline.view-0.json": [{"targets": ["127.0.0.1:2"], "labels": {"role": "view"}}]}


@pytest.mark.parametrize(
    ("host", "address"), [("0.0.0.0", "127.0.0.1:7"), ("::", "[::1]:7"), ("10.0.0.1", "10.0.0.1:7")]
)
def test_a_port_on_all_addresses_is_scraped_on_loopback(tmp_path: Path, host: str, address: str) -> None:
    """0.0.0.0 is no address to connect to."""
    with announced("view", Settings(ops_targets=tmp_path, ops_host=host), 7):
        [[entry]] = told(tmp_path).values()  # type: ignore[misc]
    assert entry["targets"] == [address]


def test_a_role_without_an_ops_port_says_that_nobody_sees_it(tmp_path: Path) -> None:
    """One warning that names the setting, and no target that would be down for ever."""
    with capture_logs() as logs, announced("view", Settings(ops_targets=tmp_path), None):
        assert told(tmp_path) == {}
    [line] = logs
    assert (line["log_level"], line["role"]) == ("warning", "view")
    assert "set CARELINE_OPS_PORT" in line["why"]


def test_nothing_is_said_where_nothing_watches() -> None:
    """Roles without monitoring need no ops port."""
    with capture_logs() as logs, announced("view", Settings(), None):
        pass
    assert logs == []


def test_a_directory_that_cannot_be_written_costs_a_warning(tmp_path: Path) -> None:
    """The role works as well as ever."""
    (tmp_path / "file").touch()
    with capture_logs() as logs, announced("view", Settings(ops_targets=tmp_path / "file" / "targets"), 1):
        pass
    assert logs[0]["setting"] == "CARELINE_OPS_TARGETS"
    assert isinstance(logs[0]["error"], OSError)
