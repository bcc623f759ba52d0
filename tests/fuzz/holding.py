"""Measures what one record costs its reader: ``python -m tests.fuzz.holding journeys``.

It runs the worker of the drives. Each part of the work on a record is measured in processor time of its thread, so that
a busy machine does not matter; the longest time of each part is a metric of the role.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from prometheus_client import Gauge

from processors.roles.journeys import JourneyLogic
from streams import metrics
from streams.avro import codec
from streams.broker import fetched
from tests.chaos import worker

F = TypeVar("F", bound=Callable[..., Any])

METRIC = "fuzz_longest_cpu_seconds"

LONGEST = Gauge(METRIC, "The most processor time that one record took, by part of the work.", ["part"], registry=None)

_longest: dict[str, float] = {}


def timed(part: str, function: F, *, about: Callable[..., str] | None = None) -> F:
    """The function, with its longest call recorded under that name and the result of ``about`` for its arguments."""
    LONGEST.labels(part=part).set(0)

    @wraps(function)
    def inner(*args: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*args, **named)
        finally:
            spent = time.thread_time() - began
            name = part if about is None else f"{part} {about(*args, **named)}"
            if spent > _longest.get(name, 0.0):
                _longest[name] = spent
                LONGEST.labels(part=name).set(spent)

    return inner  # type: ignore[return-value]


def measure() -> None:
    """Time everything that is done with a record: decompress its batch, check its schema, decode, validate, step."""
    metrics.REGISTRY.register(LONGEST)
    fetched.plain = timed("unpack", fetched.plain)
    codec.expanded = timed("schema", codec.expanded)
    made = timed("schema", codec.decoder_of)

    def decoder_of(*args: Any, **named: Any) -> Any:
        return timed("decode", made(*args, **named))

    codec.decoder_of = decoder_of
    logic: Any = JourneyLogic
    logic.admit = timed("admit", logic.admit)
    logic.receive = timed(
        "step", logic.receive, about=lambda self, incoming, *rest, **named: type(incoming.record).__name__
    )


if __name__ == "__main__":
    measure()
    worker.main()
