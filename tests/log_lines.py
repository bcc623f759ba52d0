"""The lines of a role's log, for tests and benchmarks that look for what it said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def entries(log: str, event: str | None = None) -> Iterator[dict[str, Any]]:
    """Each line of JSON as the fields it has, those of that event alone; what else stands in the log is passed over."""
    for line in log.splitlines():
        try:
            entry = json.loads(line) if line.startswith("{") else None
        except ValueError:
            continue
        if isinstance(entry, dict) and event in (None, entry.get("event")):
            yield entry
