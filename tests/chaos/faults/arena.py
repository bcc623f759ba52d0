"""What a fault is given, and what it hands back."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from deploy.local import Stack
from tests.chaos.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """Where a fault takes place. ``bug`` is planted in every worker: for the oracle's own test."""

    stack: Stack
    env: Mapping[str, str]
    seed: int
    kills: int = 30
    rate: int = 600
    """Touchpoints a second."""
    timers: int = 100_000
    bug: str | None = None
    tell: Callable[[str], None] = lambda _: None
    """Takes what is going on, in a few words."""

    def rng(self, name: str) -> random.Random:
        """The same for the same seed and name."""
        return random.Random(f"{self.seed} {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one fault. ``count`` is how often it was done, ``kills`` how many processes died of it."""

    count: int
    verdict: Verdict
    kills: int = 0
    notes: dict[str, object] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    """What else had to be so and was not."""

    @property
    def good(self) -> bool:
        """As it has to be."""
        return self.verdict.clean and not self.failures


Fault = Callable[[Arena], Awaitable[Outcome]]
