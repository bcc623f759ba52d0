"""No process of somebody else's is ever ended."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from deploy.local.processes import Identity, last_lines, launch, marked, stop

SLEEP = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
Start = Callable[[str], Identity]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a Python program as a server; all are killed in the end."""
    started: list[Identity] = []

    def begin(program: str) -> Identity:
        identity = launch(
            [sys.executable, "-c", program],
            mark=f"{tmp_path}:part",
            directory=tmp_path,
            log=tmp_path / "part.log",
            environ=os.environ,
        )
        started.append(identity)
        return identity

    yield begin
    stop(started, grace=timedelta(0))


def test_a_pid_that_went_to_another_program_is_left_alone() -> None:
    """After a reboot the pid on record may be anybody's: the start time tells."""
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP])
    try:
        created = psutil.Process(stranger.pid).create_time()
        ours = Identity(pid=stranger.pid, created=created - 100)
        assert not ours.alive()
        assert stop([ours], grace=timedelta(0)) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_is_known_again_and_ends_when_asked(start: Start) -> None:
    """The identity is all that is needed to find it and to end it."""
    identity = start(SLEEP)
    assert identity.alive()
    assert Identity(identity.pid, identity.created).process() is not None
    assert stop([identity], grace=timedelta(seconds=10)) == []
    assert not identity.alive()
    assert stop([identity], grace=timedelta(seconds=10)) == []


def test_a_server_that_does_not_listen_is_killed_after_its_grace(start: Start, tmp_path: Path) -> None:
    """The wait is bounded."""
    identity = start(DEAF)
    until = time.monotonic() + 10
    while "deaf" not in last_lines(tmp_path / "part.log") and time.monotonic() < until:
        time.sleep(0.02)
    assert stop([identity], grace=timedelta(seconds=0.3)) == [identity]
    assert not identity.alive()


def test_a_server_has_a_session_of_its_own(start: Start) -> None:
    """Ctrl-C at the terminal goes to a session, and must not reach the servers."""
    identity = start(SLEEP)
    assert os.getsid(identity.pid) == identity.pid


def test_a_server_whose_pid_was_never_noted_is_found(start: Start, tmp_path: Path) -> None:
    """By the mark it carries; other homes' servers are not."""
    identity = start(SLEEP)
    assert [found.pid for found in marked(f"{tmp_path}:")] == [identity.pid]
    assert marked(f"{tmp_path}-other:") == []


def test_the_log_of_the_start_before_is_kept(start: Start, tmp_path: Path) -> None:
    """So that a failure can still be read after somebody tried again; an excerpt shows this start only."""
    for text in ("first", "second"):
        stop([], grace=timedelta(0))
        process = start(f"print({text!r})").process()
        if process is not None:
            process.wait(timeout=10)
    assert last_lines(tmp_path / "part.log") == "second"
    assert (tmp_path / "part.log.1").read_text() == "first\n"


def test_the_end_of_a_long_log_is_short(tmp_path: Path) -> None:
    """Fifteen lines, whatever its length; nothing without a log."""
    log = tmp_path / "long.log"
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    assert last_lines(log).splitlines() == [f"line {number}" for number in range(9_985, 10_000)]
    assert last_lines(tmp_path / "absent.log") == ""
