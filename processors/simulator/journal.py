"""Collects the simulated facts; the id of each is derived from the seed and its content."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import NAMESPACE_DNS, uuid5

from streams.events import Touchpoint, replace

SOURCE = "careline-simulator"
"""The ``source`` of every simulated event, which says that it is simulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event and when its publisher sends it: immediately, unless it is late or repeated. ``at`` is aware UTC."""

    at: datetime
    event: Touchpoint


class Journal:
    """Collects facts and generates keys; the same calls under the same name give the same events."""

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._namespace = uuid5(NAMESPACE_DNS, f"{name}.simulator.careline.example")
        self._numbers: dict[str, int] = {}
        self._arrivals: list[Arrival] = []

    def add(self, event: Touchpoint, *, late: timedelta = timedelta()) -> None:
        """Add a fact; its ``event_id`` is set here. ``late`` is its publisher's delay."""
        identified = replace(event, event_id=str(uuid5(self._namespace, repr(replace(event, event_id="")))))
        self._arrivals.append(Arrival(at=event.occurred_at + late, event=identified))

    def key(self, prefix: str) -> str:
        """The next key of a kind: C000001, C000002, ..."""
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}{number:06d}"

    def chance(self, *about: str) -> Random:
        """A random generator for one matter, so that its draws change nothing else."""
        return Random("/".join((self._name, *about)))

    def arrivals(self, *, until: datetime, repeat: float, rng: Random) -> tuple[Arrival, ...]:
        """All events that occurred by ``until``, in order of arrival; at equal times in order of addition.

        ``repeat`` is the share that arrives a second time, unchanged, 1 to 30 minutes later, because publishers retry.
        """
        kept = [arrival for arrival in self._arrivals if arrival.event.occurred_at <= until]
        again = rng.sample(kept, round(len(kept) * repeat))
        kept.extend(
            dataclasses.replace(item, at=item.at + timedelta(milliseconds=rng.randint(60_000, 1_800_000)))
            for item in again
        )
        return tuple(sorted(kept, key=lambda arrival: arrival.at))
