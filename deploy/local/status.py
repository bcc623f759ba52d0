"""The status of a stack and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class State(StrEnum):
    """The state of a part."""

    RUNNING = "running"
    """It answers."""
    SILENT = "not answering"
    """It runs, or is not ours, and does not answer."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """The state and the address of one part."""

    name: str
    state: State
    address: str
    log: Path | None
    """None for a server that is not ours."""
    pid: int | None
    why: str = ""
    """Why it could not be reached."""
    watches: bool = False
    """Whether it is part of the monitoring."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of the stack."""

    mode: str
    """"env", "docker", "local", or "none" if there never was one in this home."""
    parts: tuple[PartStatus, ...]

    @property
    def running(self) -> bool:
        """Whether every part answers."""
        return bool(self.parts) and all(part.state is State.RUNNING for part in self.parts)
