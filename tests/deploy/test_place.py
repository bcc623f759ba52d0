"""What a stack remembers of itself."""

import os
import socket
import stat
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.errors import BusyError, StackError
from deploy.local.place import Place, Record, Started, free_port
from deploy.local.processes import Identity, launch


def test_the_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Pids with start times, ports, addresses and settings."""
    record = Record(
        mode="local",
        parts={
            "kafka": Started(ports={"kafka": 1, "controller": 2}, address="a:1", process=Identity(7, 8.25)),
            "mail": Started(ports={"mail": 3}, address="smtp://a:3"),
        },
        variables={"CARELINE_KAFKA_BOOTSTRAP": "a:1"},
    )
    record.write(tmp_path / "stack.json")
    assert Record.read(tmp_path / "stack.json") == record
    assert [path.name for path in tmp_path.iterdir()] == ["stack.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"mode": "local"}', '{"mode": "local", "variables": {}, "parts": {"a": 1}}']
)
def test_a_record_that_is_not_ours_is_named(tmp_path: Path, text: str) -> None:
    """Nothing is started or ended on a guess."""
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(StackError, match=r"stack\.json"):
        Record.read(tmp_path / "stack.json")


def test_no_record_is_no_stack(tmp_path: Path) -> None:
    """A home that never had one."""
    assert Record.read(tmp_path / "stack.json") is None


def test_the_home_is_the_one_given_else_the_setting_else_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is absolute, so that a server started here is found from elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert Place.of("given", {"CARELINE_HOME": "set"}).home == tmp_path / "given"
    assert Place.of(None, {"CARELINE_HOME": "set"}).home == tmp_path / "set"
    assert Place.of(None, {}).home == tmp_path / ".careline"


def test_a_port_is_kept_while_it_is_free() -> None:
    """The same addresses after `down` and `up`; another port if somebody listens there now."""
    port = free_port(taken=())
    assert free_port(taken=(), preferred=port) == port
    assert free_port(taken=(port,), preferred=port) != port
    with socket.create_server(("127.0.0.1", port)):
        assert free_port(taken=(), preferred=port) != port


def test_one_command_at_a_time_holds_a_home(tmp_path: Path) -> None:
    """Two `up` at once would start everything twice."""
    place = Place(tmp_path / "home")
    with place.locked(), pytest.raises(BusyError), place.locked(timedelta(seconds=0.2)):
        pass
    with place.locked(timedelta(seconds=0.2)):
        pass


def test_nobody_else_reads_what_a_stack_keeps(tmp_path: Path) -> None:
    """Letters and logs are their user's alone: directories are 0700 and files 0600, whatever the umask, also in a home
    that an earlier version left open, and also what a server writes by itself."""
    home = tmp_path / "above" / ".careline"
    (home / "mail").mkdir(parents=True)
    place = Place.of(home, {})
    before = os.umask(0)
    try:
        with place.locked():
            place.create()
        Record(mode="local").write(place.record)
        place.log("x").touch(mode=0o644)
        writes = "import os; os.mkdir('made'); open('made/file', 'w').close()"
        started = launch([sys.executable, "-c", writes], mark=place.mark("x"), directory=place.data,
                         log=place.log("x"), environ=os.environ)  # fmt: skip
        while started.alive():
            time.sleep(0.02)
    finally:
        os.umask(before)
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}
    assert (place.data / "made" / "file") in found
    assert {path.name: oct(mode) for path, mode in found.items() if path.is_dir() and mode != 0o700} == {}
    fresh = {path.name: oct(mode) for path, mode in found.items() if path.is_file() and not path.name.endswith(".1")}
    assert set(fresh.values()) == {"0o600"}, fresh
