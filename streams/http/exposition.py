"""What ``/metrics`` answers: Prometheus's text, OpenMetrics with exemplars, or protobuf with native histograms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from streams.http import protobuf


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write metrics. A scraper asks for it by ``media`` type and ``parameters``; it may leave these out."""

    media: str
    parameters: dict[str, str]
    content_type: str
    write: Callable[[Collector], bytes]


TEXT = Format("text/plain", {"version": "0.0.4"}, CONTENT_TYPE_PLAIN_0_0_4, generate_latest)
OPENMETRICS = Format(
    "application/openmetrics-text",
    {"version": "1.0.0"},
    openmetrics.CONTENT_TYPE_LATEST,
    lambda collector: openmetrics.generate_latest(collector, version="1.0.0"),  # type: ignore[no-untyped-call]
)
PROTOBUF = Format(
    "application/vnd.google.protobuf",
    {"proto": "io.prometheus.client.MetricFamily", "encoding": "delimited"},
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
    protobuf.written,
)


class Together(Collector):
    """Several registries as one."""

    def __init__(self, *registries: CollectorRegistry) -> None:
        self._registries = registries

    def collect(self) -> Iterator[Metric]:
        """The metrics of all of them."""
        for registry in self._registries:
            yield from registry.collect()


def asked_for(accept: str) -> Format:
    """The format that an ``Accept`` header prefers; text if it asks for none that we write."""
    best, format_ = 0.0, TEXT
    for media, parameters, weight in _ranges(accept):
        for one in (PROTOBUF, OPENMETRICS, TEXT):
            fits = all(parameters.get(name, value) == value for name, value in one.parameters.items())
            if media == one.media and fits and weight > best:
                best, format_ = weight, one
    return format_


def _ranges(accept: str) -> Iterable[tuple[str, dict[str, str], float]]:
    for part in accept.split(","):
        media, *said = (piece.strip() for piece in part.split(";"))
        parameters = {
            name.strip().lower(): value.strip().strip('"') for name, _, value in (one.partition("=") for one in said)
        }
        try:
            weight = float(parameters.pop("q", "1"))
        except ValueError:
            continue
        yield media.lower(), parameters, weight
