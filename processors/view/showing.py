"""Shows operators what Redis tells of the view: its memory, and the tasks of each team."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from processors.view import metrics
from processors.view.store import StoreFigures
from streams.instruments import Gauge


class Shown:
    """What is shown of one store, until :meth:`hide`."""

    def __init__(self) -> None:
        self._teams: dict[Gauge, set[str]] = {metrics.VIEW_TASKS_OPEN: set(), metrics.VIEW_TASKS_OVERDUE: set()}

    def show(self, figures: StoreFigures) -> None:
        """These are the figures now. Teams of which nothing is known any more are shown no longer."""
        size = figures.bytes
        metrics.VIEW_REDIS_BYTES.set_function(lambda: size)
        self._show(metrics.VIEW_TASKS_OPEN, figures.open)
        self._show(metrics.VIEW_TASKS_OVERDUE, figures.overdue)

    def hide(self) -> None:
        """The store is nobody's here any more."""
        metrics.VIEW_REDIS_BYTES.set_function(lambda: None)
        for gauge in self._teams:
            self._show(gauge, {})

    def _show(self, gauge: Gauge, counts: Mapping[str, int]) -> None:
        for team in self._teams[gauge] - {gauge.shown("team", team) for team in counts}:
            gauge.remove(team)
        totals: Counter[str] = Counter()
        for team, count in counts.items():
            totals[gauge.shown("team", team)] += count
        for team, count in totals.items():
            gauge.labels(team=team).set(count)
        self._teams[gauge] = set(totals)
