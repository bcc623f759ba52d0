"""Checks that the sections on promise watch and on waits are consistent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processors.journey.wait_rules import WAITS


def unwatched_promises(data: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each kind of wait whose letter says that somebody is checking, in a playbook without promise watch."""
    delays = data.get(WAITS) if isinstance(data, dict) else None
    for kind, section in delays.items() if isinstance(delays, dict) else ():
        told = isinstance(section, dict) and section.get("unannounced_after") is not None
        if told and data.get("promise_watch") is None:
            yield (WAITS, kind, "unannounced_after"), "needs the section promise_watch: somebody has to find out"
