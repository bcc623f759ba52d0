"""The metric catalogue: the wire's metrics and those of every role, which are shown by each process alike."""

from __future__ import annotations

from types import ModuleType

from processors.gateway import metrics as gateway
from processors.measure import metrics as measure
from processors.outreach import metrics as outreach
from processors.roles import metrics as roles
from processors.view import metrics as view
from streams import metrics as wire
from streams.instruments import Counter, Gauge, Histogram
from streams.processor import metrics as processor

MODULES: tuple[ModuleType, ...] = (wire, processor, roles, outreach, gateway, view, measure)
"""Where metrics are defined, and nowhere else."""


def catalogue() -> tuple[Counter | Gauge | Histogram, ...]:
    """Every metric there is, in the order of the modules that define them."""
    found = (value for module in MODULES for value in vars(module).values())
    return tuple(metric for metric in found if isinstance(metric, Counter | Gauge | Histogram))
