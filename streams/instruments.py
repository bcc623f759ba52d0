"""Counters, gauges and histograms whose number of series is bounded, because every label declares its bound.

They are prometheus_client's own, made with a mapping from each label to its :class:`~streams.labels.Bound` where
prometheus_client takes a list of names.
"""

from __future__ import annotations

import collections
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from types import MethodType
from typing import TYPE_CHECKING, Any, Self, cast

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar, Sample

from streams.labels import OTHER, Bound
from streams.sparse import Sparse

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a histogram has observed. ``buckets`` are counts by upper bound, not added up."""

    bounds: Sequence[float]
    buckets: Sequence[float]
    exemplars: Sequence[Exemplar | None]
    sparse: Sparse
    total: float


class Family(Metric):
    """The series of a histogram, with what text formats cannot carry."""

    def __init__(self, histogram: Histogram, *, name: str, documentation: str) -> None:
        super().__init__(name, documentation, "histogram")
        self._histogram = histogram

    def readings(self) -> list[tuple[Mapping[str, str], Reading]]:
        """What each series has observed, with its labels."""
        return self._histogram.readings()


class Counter(_Bounded, prometheus_client.Counter):
    """A count that only rises, from the start of the process."""


class Gauge(_Bounded, prometheus_client.Gauge):
    """A figure as it is now."""

    def set_function(self, f: Callable[[], float | None]) -> None:
        """Look the figure up whenever it is read, in any thread. While it is None the series is not shown."""

        def samples(_: Gauge) -> Iterable[Sample]:
            figure = f()
            return () if figure is None else (Sample("", {}, float(figure), None, None),)

        self._child_samples = MethodType(samples, self)  # type: ignore[method-assign]  # as prometheus_client does it


class Histogram(_Bounded, prometheus_client.Histogram):
    """How observations are distributed: by buckets with given bounds, and by sparse ones (:mod:`streams.sparse`)."""

    def _metric_init(self) -> None:
        super()._metric_init()
        self._sparse = Sparse()
        self._counting = Lock()

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Count an observation, which is not negative."""
        self._raise_if_not_observable()  # type: ignore[no-untyped-call]
        with self._counting:
            self._sum.inc(amount)
            self._buckets[bisect_left(self._upper_bounds, amount)].inc(1)
            self._sparse.add(amount)
        if exemplar:
            self.exemplify(amount, exemplar)

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Count each of many observations, none of which is negative: of a batch at once, for little each."""
        with self._counting:
            self._sum.inc(sum(amounts))
            for place, times in collections.Counter(map(partial(bisect_left, self._upper_bounds), amounts)).items():
                self._buckets[place].inc(times)
            self._sparse.add_all(amounts)

    def exemplify(self, amount: float, exemplar: dict[str, str]) -> None:
        """Name an example of an observation that is counted: the id of its trace."""
        self._buckets[bisect_left(self._upper_bounds, amount)].set_exemplar(Exemplar(exemplar, amount, time.time()))

    def readings(self) -> list[tuple[Mapping[str, str], Reading]]:
        """What each series has observed so far, with its labels."""
        if not self._labelnames:
            return [({}, self._read())]
        with self._lock:
            series = cast("list[tuple[tuple[str, ...], Histogram]]", list(self._metrics.items()))
        return [(dict(zip(self._labelnames, values, strict=True)), one._read()) for values, one in series]

    def _get_metric(self) -> Metric:
        return Family(self, name=self._name, documentation=self._documentation)

    def _read(self) -> Reading:
        with self._counting:
            return Reading(
                total=self._sum.get(),
                buckets=[bucket.get() for bucket in self._buckets],
                sparse=self._sparse.copy(),
                bounds=self._upper_bounds,
                exemplars=[bucket.get_exemplar() for bucket in self._buckets],
            )
