"""Where the simulated facts are written down: each gets its identity from the seed and its content."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import NAMESPACE_DNS, uuid5

from streams.events import Touchpoint, replace

SOURCE = "careline-simulator"
"""The ``source`` of every simulated event: made up, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event and when its publisher sends it: at once, unless it is late or sent again. ``at`` is aware UTC."""

    at: datetime
    event: Touchpoint


class Journal:
    """Collects facts and numbers what needs a key; the same calls under the same name give the same events."""

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._namespace = uuid5(NAMESPACE_DNS, f"{name}.simulator.careline.example")
        self._numbers: dict[str, int] = {}
        self._arrivals: list[Arrival] = []

    def add(self, event: Touchpoint, *, late: timedelta = timedelta()) -> None:
        """Write a fact down; its ``event_id`` is given here. ``late`` is how long its publisher takes."""
        identified = replace(event, event_id=str(uuid5(self._namespace, repr(replace(event, event_id="")))))
        self._arrivals.append(Arrival(at=event.occurred_at + late, event=identified))

    def key(self, prefix: str) -> str:
        """The next key of a kind: C000001, C000002, ..."""
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}{number:06d}"

    def chance(self, *about: str) -> Random:
        """A source of chance for that matter alone, so that what is drawn for it makes up nothing else anew."""
        return Random("/".join((self._name, *about)))

    def arrivals(self, *, until: datetime, repeat: float, rng: Random) -> tuple[Arrival, ...]:
        """All that occurred by ``until``, by arrival; of equal times the one written first comes first.

        ``repeat`` is the share that arrives a second time, unchanged, 1 to 30 minutes later: publishers try again.
        """
        kept = [arrival for arrival in self._arrivals if arrival.event.occurred_at <= until]
        again = rng.sample(kept, round(len(kept) * repeat))
        kept.extend(
            dataclasses.replace(item, at=item.at + timedelta(milliseconds=rng.randint(60_000, 1_800_000)))
            for item in again
        )
        return tuple(sorted(kept, key=lambda arrival: arrival.at))
