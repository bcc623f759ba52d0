"""The measure role: runs the Faust app as a service, and shows its figures as metrics and JSON."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import FaustError
from mode import Service

from processors.measure import metrics
from processors.measure.app import MeasureApp
from processors.measure.changelogs import declare
from processors.measure.figures import Figures, Satisfaction
from processors.roles.role import Role
from streams.avro.codec import Codec
from streams.config import Settings
from streams.registry.registry import Registry

log = structlog.get_logger()

_REFRESH = timedelta(seconds=5)


class MeasureRole(Role):
    """Measures letters and satisfaction for as long as it runs.

    A single worker sees every customer. With several workers, each shows the customers of its own partitions: letters
    may be added up, means may not.
    """

    name = "measure"

    def __init__(self, settings: Settings, *, registry: Registry) -> None:
        super().__init__(registry=registry)
        self._settings = settings
        self._codec = Codec(registry=registry, topics=settings.topics)
        self._directory = tempfile.TemporaryDirectory(prefix="careline-measure-")
        self._app = MeasureApp(settings, codec=self._codec, directory=Path(self._directory.name))
        self._patience = self._patience_with_servers()
        self._counted: tuple[int, Figures] | None = None

    def missing(self) -> list[str]:
        """What keeps the figures from being whole."""
        if self._patience.trouble is not None:
            return [self._patience.trouble]
        app = self._app.faust
        if app.rebalancing or not app.tables.recovery.completed.is_set():
            return ["recovery of the tables from their changelogs"]
        return []

    def figures(self) -> Figures:
        """The current figures."""
        written = self._app.written
        recovering = not self.ready
        if self._counted is None or recovering or self._counted[0] != written:
            self._counted = (-1 if recovering else written, self._app.figures())
        return self._counted[1]

    def measurements(self) -> dict[str, Any]:
        """The figures for JSON, as /measurements returns them."""
        return {"ready": self.ready, **self.figures().as_data()}

    def routes(self) -> Mapping[str, Callable[[], Any]]:
        """The figures, at /measurements."""
        return {"/measurements": self.measurements}

    async def on_stop(self) -> None:
        """Let go of the folders."""
        self._directory.cleanup()

    @Service.task
    async def _begin(self) -> None:
        await self._patience.answered(self._prepare)
        if not self.should_stop:
            # a child: it stops with this service, and if it crashes, so does this service
            self._app.faust.beacon.reattach(self.beacon)
            await self.add_runtime_dependency(self._app.faust)

    async def _prepare(self) -> None:
        topics = self._settings.topics
        await self._codec.prepare(topics.decisions, topics.outcomes, topics.touchpoints)
        await declare(self._settings)

    @Service.timer(_REFRESH.total_seconds())
    async def _show(self) -> None:
        if not self.ready:
            return
        found = self.figures()
        for policy, letters in found.letters_by_policy().items():
            metrics.MEASURE_LETTERS.labels(policy=policy).set(letters)
        for policy, redeemed in found.redeemed.items():
            metrics.MEASURE_REDEEMED.labels(policy=policy).set(redeemed)
        for group, one in (("written_to", found.written_to), ("not_written_to", found.not_written_to)):
            _show_satisfaction(group, one)

    @Service.timer(_REFRESH.total_seconds())
    async def _show_lag(self) -> None:
        """Beside the figures, as brokers that are away answer late."""
        if self.ready:
            await self._measure_lag()

    async def _measure_lag(self) -> None:
        try:
            left = await self._app.lag()
        except (KafkaError, FaustError) as why:
            log.debug("no_lag", error=why)
            return
        for topic, count in left.items():
            metrics.MEASURE_LAG_RECORDS.labels(topic=topic).set(count)


def _show_satisfaction(group: str, one: Satisfaction) -> None:
    metrics.MEASURE_ANSWERS.labels(group=group).set(one.answers)
    if one.mean is not None:
        metrics.MEASURE_SATISFACTION.labels(group=group).set(one.mean)
    for bound, value in (("low", one.low), ("high", one.high)):
        if value is not None:
            metrics.MEASURE_SATISFACTION_BOUND.labels(group=group, bound=bound).set(value)
