"""What every role shows of itself: which version it is, its clock, whether it is ready and live, and how it logs."""

from __future__ import annotations

import platform
import time
from collections.abc import MutableMapping
from functools import cache
from importlib.metadata import version
from typing import Any

from processors.roles import metrics
from processors.roles.role import Role

_SERIOUS = {"warning": "warning", "error": "error", "critical": "error"}


def show(role: Role) -> None:
    """Say how the role is right now. To be called on the event loop, for each scrape."""
    metrics.BUILD_INFO.labels(**_build()).set(1)
    metrics.CLOCK.set(time.time())
    metrics.ROLE_READY.labels(role=role.name).set(role.ready)
    metrics.ROLE_LIVE.labels(role=role.name).set(not role.broken() and not role.crashed)


@cache
def _build() -> dict[str, str]:
    # the version is read from a file
    return {"version": version("careline"), "python": platform.python_version()}


def count_message(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog's, after ``add_log_level``: count the line if it is a warning or worse."""
    if (level := _SERIOUS.get(str(event.get("level")))) is not None:
        metrics.LOG_MESSAGES.labels(level=level).inc()
    return event
