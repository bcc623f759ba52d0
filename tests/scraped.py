"""What a scraper reads of this process."""

from __future__ import annotations

from streams.metrics import REGISTRY


def scraped(name: str, **labels: str) -> float:
    """The figure that /metrics has now; 0 where it has none."""
    return REGISTRY.get_sample_value(name, labels) or 0


def shown(name: str, **labels: str) -> bool:
    """Whether /metrics has such a figure at all."""
    return REGISTRY.get_sample_value(name, labels) is not None


class Growth:
    """How much a figure has grown since this was made."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = scraped(name, **labels)

    @property
    def value(self) -> float:
        """By how much."""
        return scraped(self._name, **self._labels) - self._before
