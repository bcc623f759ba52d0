"""Where a stack keeps everything: its home directory, its ports and its record of what runs."""

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
# Below the range that the kernel hands out for outgoing connections, so that none takes a port of ours in between.
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Place:
    """The home of one stack."""

    home: Path
    """Absolute."""

    @classmethod
    def of(cls, home: Path | str | None, environ: Mapping[str, str]) -> Place:
        """The given home, else CARELINE_HOME, else `.careline` under the working directory."""
        chosen = Path(home or environ.get(HOME_VARIABLE) or DEFAULT_HOME)
        return cls(chosen.expanduser().absolute())

    @property
    def data(self) -> Path:
        """What the servers keep, a folder each; their working directory."""
        return self.home / "data"

    @property
    def mail(self) -> Path:
        """One .eml file for each message that the mail sink took."""
        return self.home / "mail"

    @property
    def logs(self) -> Path:
        """One log for each server."""
        return self.home / "logs"

    @property
    def record(self) -> Path:
        """What was started, and where it listens."""
        return self.home / "stack.json"

    def log(self, part: str) -> Path:
        """The log of a part."""
        return self.logs / f"{part}.log"

    def mark(self, part: str = "") -> str:
        """What a server's environment is marked with; without a part, what all marks of this home start with."""
        return f"{self.home}:{part}"

    def create(self) -> None:
        """Make the directories, and close them to others; also a home of before, which is known by its record."""
        for directory in (self.data, self.mail, self.logs):
            closed(directory)
        if self.record.exists() or self.home.name == DEFAULT_HOME.name:
            closed(self.home)

    @contextlib.contextmanager
    def locked(self, timeout: timedelta = timedelta(minutes=3)) -> Iterator[None]:
        """Hold this home alone: one `up` or `down` at a time. Raises BusyError after `timeout`."""
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
    """What is on record of one part."""

    ports: dict[str, int]
    address: str
    process: Identity | None = None
    """None for a part that is down, or that runs in a container."""


@dataclass(slots=True)
class Record:
    """What `stack.json` holds. Ports are kept after `down`, so that the next `up` has the same addresses."""

    mode: str
    """"local" or "docker"."""
    parts: dict[str, Started] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    """The settings that programs need to use this stack."""

    def write(self, path: Path) -> None:
        """Write it whole or not at all."""
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
        """The record, None if there is none. Raises StackError, naming the file, if it is not one of ours."""
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
    """Whether a server could listen there on loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(*, taken: Collection[int], preferred: int | None = None) -> int:
    """The preferred port if it is free, else any free one that is not in `taken`.

    Drawn at random, so that two stacks that start at once do not meet. Raises OSError when none is free.
    """
    if preferred is not None and preferred not in taken and port_is_free(preferred):
        return preferred
    draw = random.SystemRandom()
    for _ in range(200):
        port = draw.choice(_PORTS)
        if port not in taken and port_is_free(port):
            return port
    raise OSError(f"no free port between {_PORTS.start} and {_PORTS.stop}")
