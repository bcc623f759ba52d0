"""What promise watch and the waits have to agree in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processors.journey.wait_rules import WAITS


def unwatched_promises(data: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The letter about a promise that nobody speaks of says that somebody finds out."""
    delays = data.get(WAITS) if isinstance(data, dict) else None
    for kind, section in delays.items() if isinstance(delays, dict) else ():
        told = isinstance(section, dict) and section.get("unannounced_after") is not None
        if told and data.get("promise_watch") is None:
            yield (WAITS, kind, "unannounced_after"), "needs the section promise_watch: somebody has to find out"
