"""What a Prometheus answers, over a span of time and at its end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.grafana.promql import filled_in

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_POINTS = 120
_TIMEOUT = 30.0


class AnswerError(Exception):
    """Prometheus could not be asked, or refused the expression."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is shown, in unix seconds; ``step`` lies between two points."""

    begin: float
    end: float
    step: float

    @classmethod
    def of(cls, begin: datetime, end: datetime, *, scrape: timedelta) -> Self:
        """With as many points as can be told apart in a picture. Raises ValueError if it is empty."""
        seconds = (end - begin).total_seconds()
        if seconds <= 0:
            raise ValueError(f"from {begin} to {end} is no time")
        finest = max(seconds / _POINTS, scrape.total_seconds())
        step = next((step for step in _STEPS if step >= finest), _STEPS[-1])
        last = math.ceil(end.timestamp() / step) * step
        return cls(last - math.ceil(seconds / step) * step, last, step)

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.begin

    @property
    def times(self) -> list[float]:
        """Every point of time, both ends included."""
        return [self.begin + number * self.step for number in range(round(self.seconds / self.step) + 1)]


@dataclass(frozen=True, slots=True)
class Series:
    """Values at the span's times, None where there is none; of an answer at one time, a single value."""

    labels: Mapping[str, str]
    values: tuple[float | None, ...]

    @property
    def last(self) -> float | None:
        """The last value there is."""
        return next((value for value in reversed(self.values) if value is not None), None)


class Prometheus:
    """Asks one Prometheus, by its HTTP API; closed when the block ends."""

    def __init__(
        self,
        url: str,
        *,
        span: Span,
        scrape: timedelta,
        chosen: Mapping[str, str],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.span = span
        self._scrape = scrape
        self._chosen = chosen
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def over_time(self, expr: str, *, coarser: int = 1) -> list[Series]:
        """Its series over the span; every ``coarser``-th point alone, with rates over as long. Raises AnswerError."""
        step = self.span.step * coarser
        at = {"start": self.span.begin, "end": self.span.end, "step": step}
        found = self._ask("query_range", self._filled(expr, step), **at)
        times = self.span.times[::coarser]
        series = []
        for one in found:
            values = {round(float(time)): _number(value) for time, value in one["values"]}
            series.append(Series(one["metric"], tuple(values.get(round(time)) for time in times)))
        return series

    def at_end(self, expr: str) -> list[Series]:
        """Its samples at the end of the span, in the order of the answer. Raises AnswerError."""
        found = self._ask("query", self._filled(expr, self.span.step), time=self.span.end)
        return [Series(one["metric"], (_number(one["value"][1]),)) for one in found]

    def _filled(self, expr: str, step: float) -> str:
        return filled_in(
            expr,
            step=timedelta(seconds=step),
            span=timedelta(seconds=self.span.seconds),
            scrape=self._scrape,
            chosen=self._chosen,
        )

    def _ask(self, kind: str, expr: str, **at: float) -> list[Any]:
        try:
            answer = self._client.post(f"/api/v1/{kind}", data={"query": expr, **at})
            page = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise AnswerError(f"Prometheus at {self._client.base_url} does not answer: {error}") from error
        if page.get("status") != "success":
            raise AnswerError(f"{page.get('error')}: {expr}")
        data = page["data"]
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        found: list[Any] = data["result"]
        return found


def _number(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None
