"""The input and the result of a fault."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from deploy.local import Stack
from tests.chaos.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """The environment of a fault. ``bug`` is planted in every worker, to test the oracle."""

    stack: Stack
    env: Mapping[str, str]
    seed: int
    kills: int = 30
    rate: int = 600
    """Touchpoints a second."""
    timers: int = 100_000
    bug: str | None = None
    tell: Callable[[str], None] = lambda _: None
    """Called with a short description of the progress."""

    def rng(self, name: str) -> random.Random:
        """A random generator, the same for the same seed and name."""
        return random.Random(f"{self.seed} {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one fault. ``count``: how often it was caused; ``kills``: how many processes it killed."""

    count: int
    verdict: Verdict
    kills: int = 0
    notes: dict[str, object] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    """Further expectations that were not met."""

    @property
    def good(self) -> bool:
        """Whether the result is correct."""
        return self.verdict.clean and not self.failures


Fault = Callable[[Arena], Awaitable[Outcome]]
