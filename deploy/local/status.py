"""How a stack is, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class State(StrEnum):
    """How a part is."""

    RUNNING = "running"
    """It answers."""
    SILENT = "not answering"
    """It runs, or is somebody else's, and does not answer."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """How one part is, and where."""

    name: str
    state: State
    address: str
    log: Path | None
    """None for a server that is not ours."""
    pid: int | None
    why: str = ""
    """What the attempt to reach it ended with."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the stack is."""

    mode: str
    """"env", "docker", "local", or "none" if there never was one in this home."""
    parts: tuple[PartStatus, ...]

    @property
    def running(self) -> bool:
        """Whether every part answers."""
        return bool(self.parts) and all(part.state is State.RUNNING for part in self.parts)
