"""Looks at the alerts of a real Prometheus and a real Alertmanager, twice a second."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx

from tests.drill.verdict import Alert, Sighting

EVERY = 0.5
SLOW = ("window", "3d")
"""The label of burn rates over three days: one fault spends what they allow for hours, so no drive sees them end."""


class Observer:
    """Keeps a sighting of the alerts, twice a second, for the duration of the block."""

    def __init__(self, *, prometheus: str, alertmanager: str, but: frozenset[str] = frozenset()) -> None:
        """``but``: names of alerts that are left out of every sighting."""
        self._but = but
        self._prometheus = prometheus
        self._alertmanager = alertmanager
        self.sightings: list[Sighting] = []
        self._client = httpx.AsyncClient(timeout=3, trust_env=False)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch(), name="alerts")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    @property
    def firing(self) -> frozenset[Alert]:
        """The alerts that fire now, as last seen."""
        return self.sightings[-1].firing if self.sightings else frozenset()

    async def ask(self, query: str) -> list[Any]:
        """The series of an instant query. Raises httpx.HTTPError."""
        answer = await self._client.get(f"{self._prometheus}/api/v1/query", params={"query": query})
        return list(answer.raise_for_status().json()["data"]["result"])

    async def look(self) -> Sighting:
        """The alerts at this moment. Raises httpx.HTTPError."""
        at = time.monotonic()
        told = (await self._client.get(f"{self._prometheus}/api/v1/alerts")).raise_for_status().json()
        known = (await self._client.get(f"{self._alertmanager}/api/v2/alerts")).raise_for_status().json()
        firing = {Alert.of(one["labels"]) for one in told["data"]["alerts"] if one["state"] == "firing"}
        held = {Alert.of(one["labels"]) for one in known if one["status"]["state"] == "suppressed"}
        looked_at = (alert for alert in firing if SLOW not in alert.labels and alert.name not in self._but)
        return Sighting(at, frozenset(looked_at), frozenset(held))

    async def _watch(self) -> None:
        while True:
            with suppress(httpx.HTTPError):  # a gap, which the verdict notices
                self.sightings.append(await self.look())
            await asyncio.sleep(EVERY)
