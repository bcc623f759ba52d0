"""Counters, gauges and histograms whose number of series is bounded, because every label declares its bound.

They are prometheus_client's own, made with a mapping from each label to its :class:`~streams.labels.Bound` where
prometheus_client takes a list of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, cast

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from streams.labels import OTHER, Bound

if TYPE_CHECKING:
    from prometheus_client.metrics import MetricWrapperBase as _Metric
else:
    _Metric = object

MOST_SERIES = 1_000
"""Label sets of one metric in one process. What is beyond them has ``other`` in every label."""


class _Bounded(_Metric):
    """Adds the bounds to a metric of prometheus_client, which makes the series of each label set by the same class."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Mapping[str, Bound] | Sequence[str] = (),
        *,
        registry: CollectorRegistry | None = None,
        **kwargs: Any,
    ) -> None:
        """``labelnames``: each label with its bound. Raises TypeError for labels without."""
        self.bounds: Mapping[str, Bound] = {}
        if isinstance(labelnames, Mapping):
            self.bounds = dict(labelnames)
        elif labelnames and "_labelvalues" not in kwargs:
            raise TypeError(f"{name}: every label declares its bound; see streams.labels")
        self._present: dict[str, set[str]] = {label: set() for label in self.bounds}
        self._adding = Lock()
        super().__init__(name, documentation, labelnames=tuple(labelnames), registry=registry, **kwargs)

    def labels(self, *labelvalues: object, **labelkwargs: object) -> Self:
        """The series of these label values, each as its bound shows it. Raises ValueError for other label names."""
        if labelkwargs:
            if labelkwargs.keys() != self.bounds.keys():
                raise ValueError(f"{self._name} has the labels {', '.join(self.bounds) or 'of none'}")
            labelvalues = tuple(labelkwargs[label] for label in self.bounds)
        values = tuple(map(str, labelvalues))
        known = self._metrics.get(values) if self.bounds else None
        if known is not None:
            return cast("Self", known)
        with self._adding:
            return super().labels(*self._bounded(values))

    def shown(self, label: str, value: object) -> str:
        """What the label shows for ``value``: for a gauge that has to add up what is shown as ``other``."""
        with self._adding:
            return self._shown(label, str(value))

    def remove(self, *labelvalues: Any) -> None:
        """Drop a label set, if it is there; its values make room for others."""
        super().remove(*labelvalues)
        self._recount()

    def clear(self) -> None:
        """Drop every label set."""
        super().clear()
        self._recount()

    def _bounded(self, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(values) != len(self.bounds):
            return values  # prometheus_client says what is wrong
        if len(self._metrics) >= MOST_SERIES:
            return (OTHER,) * len(values)
        return tuple(self._shown(label, value) for label, value in zip(self.bounds, values, strict=True))

    def _shown(self, label: str, value: str) -> str:
        present = self._present[label]
        shown = self.bounds[label].shown(value, present)
        if shown != OTHER:
            present.add(shown)
        return shown

    def _recount(self) -> None:
        with self._adding:
            for place, label in enumerate(self.bounds):
                self._present[label] = {values[place] for values in self._metrics} - {OTHER}

    def _child_samples(self) -> Iterable[Sample]:
        # when a series was made helps nobody, and would double what is scraped of a counter
        return [sample for sample in super()._child_samples() if sample.name != "_created"]


class Counter(_Bounded, prometheus_client.Counter):
    """A count that only rises, from the start of the process."""


class Gauge(_Bounded, prometheus_client.Gauge):
    """A figure as it is now."""


class Histogram(_Bounded, prometheus_client.Histogram):
    """How observations are distributed, by buckets with upper bounds."""
