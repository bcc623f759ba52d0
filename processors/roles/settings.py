"""How a role runs as a process, whichever it is, and by which playbook. Environment names begin with ``CARELINE_``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field


class RunningSettings(BaseModel):
    """How a role runs as a process, whichever it is."""

    ops_host: str = "127.0.0.1"
    ops_port: int | None = Field(default=None, ge=0, le=65535, description="/metrics, /livez, /readyz; 0: any free one")
    ops_targets: Path | None = Field(default=None, description="the directory of Prometheus's file_sd for this role")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = Field(default="auto", description="auto: text on a terminal only")


class PlaybookSettings(BaseModel):
    """Where the playbook is, for the roles that go by it."""

    playbook: Path | None = Field(default=None, description="the playbook file; if not set, the one in the package")
    playbook_reload: int = Field(default=5, ge=1, le=3600, description="seconds between checks of the playbook file")
