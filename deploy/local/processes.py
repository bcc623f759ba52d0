"""Processes that outlive the program that started them, and can be identified reliably later."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from deploy.local.private import UMASK, opener

MARK = "CARELINE_STACK_PART"
"""Set in every server's environment to `<home>:<part>`, so that one whose pid was not recorded is found."""

_LOOK, _MARKED_WITHIN = 0.001, 0.5  # seconds

_started: list[subprocess.Popen[bytes]] = []
"""Referenced here so that Python does not warn about running servers, which should outlive this program."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Identifies a process by pid and start time, because the pid alone is reused sooner or later."""

    pid: int
    created: float
    """Seconds since the epoch, as the operating system reports them."""

    def process(self) -> psutil.Process | None:
        """The live process; None if it ended, or if its pid now belongs to another."""
        try:
            found = psutil.Process(self.pid)
            # The kernel counts in clock ticks; readings of the same process may differ by one.
            same = abs(found.create_time() - self.created) < 0.05
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process() is not None


def launch(argv: Sequence[str], *, mark: str, directory: Path, log: Path, environ: Mapping[str, str]) -> Identity:
    """Start a server in a new session, so that a Ctrl-C at the terminal does not reach it.

    Its output goes to `log`; the previous log is kept as `<log>.1`. Raises OSError if the program cannot be started.
    """
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    with open(log, "wb", opener=opener) as output:
        child = subprocess.Popen(
            argv,
            cwd=directory,
            env={**environ, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=UMASK,
        )
    _started.append(child)
    try:
        process = psutil.Process(child.pid)
        # Popen returns before the kernel has set up the new program's environment; until then it has no mark. A program
        # that ended, or that overwrites its environment with a title, has no mark later either.
        deadline = time.monotonic() + _MARKED_WITHIN
        while MARK not in process.environ() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(_LOOK)
        return Identity(pid=child.pid, created=process.create_time())
    except psutil.Error:
        # Ended already: the caller notices that it is not alive, and shows the log.
        return Identity(pid=child.pid, created=0.0)


def marked(prefix: str) -> list[Identity]:
    """The processes of this user whose mark starts with `prefix`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK, "").startswith(prefix) and process.pid != os.getpid():
                found.append(Identity(pid=process.pid, created=process.create_time()))
    return found


def stop(identities: Iterable[Identity], *, grace: timedelta) -> list[Identity]:
    """Stop processes together: SIGTERM, wait at most `grace`, then SIGKILL. Returns those that had to be killed.

    Ended processes, and pids that now belong to other programs, are ignored.
    """
    living = {identity: process for identity in identities if (process := identity.process())}
    for process in living.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(list(living.values()), timeout=grace.total_seconds())
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    for child in _started:
        child.poll()
    _started[:] = [child for child in _started if child.returncode is None]
    return [identity for identity, process in living.items() if process in stubborn]


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, to show why a server did not start; "" without a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-count:])
