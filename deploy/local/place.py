"""Where a stack stores everything: its home directory, its ports and its record of running parts."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from deploy.local.errors import BusyError, StackError
from deploy.local.private import closed, opener, private_directory, write_private
from deploy.local.processes import Identity

HOME_VARIABLE = "CARELINE_HOME"
DEFAULT_HOME = Path(".careline")
LOOPBACK = "127.0.0.1"
# Below the kernel's range for outgoing connections, so that none of those takes a port of ours.
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Place:
    """The home of one stack."""

    home: Path
    """The absolute path."""

    @classmethod
    def of(cls, home: Path | str | None, environ: Mapping[str, str]) -> Place:
        """The given home, else CARELINE_HOME, else `.careline` under the working directory."""
        chosen = Path(home or environ.get(HOME_VARIABLE) or DEFAULT_HOME)
        return cls(chosen.expanduser().absolute())

    @property
    def data(self) -> Path:
        """The servers' data, one folder for each; also their working directory."""
        return self.home / "data"

    @property
    def mail(self) -> Path:
        """One .eml file for each message that the mail sink accepted."""
        return self.home / "mail"

    @property
    def logs(self) -> Path:
        """One log for each server."""
        return self.home / "logs"

    @property
    def targets(self) -> Path:
        """Where roles announce themselves to Prometheus, one file for each."""
        return self.data / "prometheus" / "targets"

    @property
    def record(self) -> Path:
        """The record of the started parts and their addresses."""
        return self.home / "stack.json"

    def log(self, part: str) -> Path:
        """The log of a part."""
        return self.logs / f"{part}.log"

    def mark(self, part: str = "") -> str:
        """The mark in a server's environment; without a part, the prefix of all marks of this home."""
        return f"{self.home}:{part}"

    def create(self) -> None:
        """Create the directories, private to this user; an existing home, known by its record, is made private too."""
        for directory in (self.data, self.mail, self.logs):
            closed(directory)
        if self.record.exists() or self.home.name == DEFAULT_HOME.name:
            closed(self.home)

    @contextlib.contextmanager
    def locked(self, timeout: timedelta = timedelta(minutes=3)) -> Iterator[None]:
        """Lock this home, for one `up` or `down` at a time. Raises BusyError after `timeout`."""
        private_directory(self.home)
        until = time.monotonic() + timeout.total_seconds()
        with open(self.home / "lock", "w", opener=opener) as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise BusyError(f"another `careline stack` command holds {self.home}") from None
                    time.sleep(0.1)
            yield


@dataclass(slots=True)
class Started:
    """What is recorded of one part."""

    ports: dict[str, int]
    address: str
    process: Identity | None = None
    """None for a part that is down, or that runs in a container."""


@dataclass(slots=True)
class Record:
    """The content of `stack.json`. Ports are kept after `down`, so that the next `up` has the same addresses."""

    mode: str
    """"local" or "docker"."""
    parts: dict[str, Started] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    """The settings that programs need to use this stack."""

    def write(self, path: Path) -> None:
        """Write the record atomically."""
        parts = {
            name: {
                "ports": part.ports,
                "address": part.address,
                "pid": part.process.pid if part.process else None,
                "created": part.process.created if part.process else None,
            }
            for name, part in self.parts.items()
        }
        text = json.dumps({"mode": self.mode, "variables": self.variables, "parts": parts}, indent=2)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        write_private(fresh, text + "\n")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The record; None if there is none. Raises StackError, naming the file, if it is not a stack's record."""
        try:
            raw = json.loads(path.read_text())
            parts = {
                name: Started(
                    ports=dict(part["ports"]),
                    address=part["address"],
                    process=Identity(part["pid"], part["created"]) if part["pid"] is not None else None,
                )
                for name, part in raw["parts"].items()
            }
            return cls(mode=raw["mode"], parts=parts, variables=dict(raw["variables"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StackError(f"{path} is not a stack's record ({error!r}): move it away and run `up` again") from error


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(*, taken: Collection[int], preferred: int | None = None) -> int:
    """The preferred port if it is free, else a random free one that is not in `taken`.

    Random, so that two stacks that start at the same time do not collide. Raises OSError if none is free.
    """
    if preferred is not None and preferred not in taken and port_is_free(preferred):
        return preferred
    draw = random.SystemRandom()
    for _ in range(200):
        port = draw.choice(_PORTS)
        if port not in taken and port_is_free(port):
            return port
    raise OSError(f"no free port between {_PORTS.start} and {_PORTS.stop}")


def asked_port(name: str, environ: Mapping[str, str]) -> int | None:
    """The port that CARELINE_<NAME>_PORT asks for; None if it asks for none.

    Raises StackError if it is no port, or if another program listens there.
    """
    variable = f"CARELINE_{name.upper()}_PORT"
    asked = environ.get(variable, "")
    if not asked:
        return None
    if not (asked.isdecimal() and 0 < int(asked) < 65_536):
        raise StackError(f"{variable}={asked} is no port: use a number from 1 to 65535, or leave it out")
    if not port_is_free(int(asked)):
        raise StackError(
            f"port {asked} for {name} is taken by another program: choose another one with {variable}, "
            "or leave it out to get a free one"
        )
    return int(asked)
