"""Reloads a changed playbook file without a restart; an invalid one is rejected as a whole and the old one stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import structlog
from mode import Service

from processors.journey.playbook import Playbook
from processors.playbook.apart import try_apart
from processors.playbook.faults import PlaybookRefused
from processors.playbook.loading import playbook_from, read_content, version_of
from processors.roles import metrics
from processors.roles.settings import PlaybookSettings

log = structlog.get_logger()

_SETTLES = timedelta(seconds=1)

Taken = Callable[[Playbook], Awaitable[None] | None]
"""Applies a valid playbook; awaited if it first prepares something outside of the event loop."""


class PlaybookWatch(Service):
    """Checks the file every ``interval`` and passes each valid new content to ``taken``. It is validated in a separate
    process first, so that a file which takes long, or all memory, does not affect the role.

    ``taken`` is called on the event loop, between two steps and never within one, because a step runs without awaiting.
    So each decision is made by one playbook, whose version it records. Decisions that were not committed when a worker
    is lost may be made again by the newer playbook.
    """

    def __init__(self, *, path: Path, playbook: Playbook, taken: Taken, interval: timedelta) -> None:
        """``playbook`` is the one in force, as read from the file at the start."""
        super().__init__()
        self._path = path
        self._taken = taken
        self._interval = interval
        self._in_force = playbook.version
        self._settled = playbook.version
        """The version that was handled last, whether it was accepted or rejected."""
        self._seen = playbook.version
        """The version that the latest check found."""

    async def look(self) -> None:
        """Check the file once. New content counts when a second check finds it too, because a file may be half
        written."""
        content: bytes | None
        try:
            content = await asyncio.to_thread(read_content, self._path)
            found = version_of(content)
        except OSError as error:
            content, found = None, f"cannot be read: {error.strerror}"
        seen, self._seen = self._seen, found
        if found == seen and found != self._settled:
            self._settled = found
            if found == self._in_force:
                metrics.PLAYBOOK_REFUSED.set(0)
                log.info("playbook_in_force_again", path=str(self._path), version=found)
            elif content is None:
                self._refuse([f"{self._path}: {found}"])
            else:
                await self._apply(content)

    async def _apply(self, content: bytes) -> None:
        try:
            await try_apart(content, where=str(self._path))
            playbook = await asyncio.to_thread(playbook_from, content, where=str(self._path))
        except PlaybookRefused as refused:
            self._refuse(refused.told())
        except Exception as error:  # whatever a file contains, the playbook in force stays in use
            log.exception("playbook_not_checked", path=str(self._path))
            self._refuse([f"{self._path}: {error!r}"])
        else:
            if (preparing := self._taken(playbook)) is not None:
                await preparing
            before, self._in_force = self._in_force, playbook.version
            in_force(playbook)
            metrics.PLAYBOOK_RELOADS.labels(result="taken").inc()
            log.info("playbook_loaded", path=str(self._path), version=playbook.version, before=before)

    def _refuse(self, faults: list[str]) -> None:
        metrics.PLAYBOOK_RELOADS.labels(result="refused").inc()
        metrics.PLAYBOOK_REFUSED.set(1)
        log.error("playbook_refused", version=self._in_force, faults=len(faults))
        for fault in faults:
            log.error("playbook_fault", fault=fault)

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            unsettled = self._seen != self._settled
            await self.sleep(min(self._interval, _SETTLES) if unsettled else self._interval)
            await self.look()


def watched(role: Service, *, settings: PlaybookSettings, playbook: Playbook, taken: Taken) -> None:
    """Have the role watch the file that the settings name while it runs; without one, there is nothing to watch.
    ``playbook`` is the one that the role starts with."""
    in_force(playbook)
    if settings.playbook is not None:
        interval = timedelta(seconds=settings.playbook_reload)
        role.add_dependency(PlaybookWatch(path=settings.playbook, playbook=playbook, taken=taken, interval=interval))


def in_force(playbook: Playbook) -> None:
    """Set the metrics that name the playbook this process uses, which is the one on disk."""
    metrics.PLAYBOOK_REFUSED.set(0)
    metrics.PLAYBOOK.clear()
    metrics.PLAYBOOK.labels(version=playbook.version).set(1)
