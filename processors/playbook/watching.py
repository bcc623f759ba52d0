"""Takes a changed playbook file into use without a restart; a wrong one is refused whole and the old one stays."""

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
"""What takes a good playbook into use; awaited where it first prepares something outside of the event loop."""


class PlaybookWatch(Service):
    """Looks at the file every ``interval`` and hands each good new content to ``taken``. It is tried in a process of
    its own first, so that a file which takes long, or all memory, costs the role nothing.

    ``taken`` is called on the event loop, between two steps and never inside of one: a step runs to its end without
    waiting for anything. So each decision is made by one playbook from beginning to end, and names its version. What
    was not committed when a worker is lost may be decided again by the newer one.
    """

    def __init__(self, *, path: Path, playbook: Playbook, taken: Taken, interval: timedelta) -> None:
        """``playbook`` is the one in force, as it was read from the file at the start."""
        super().__init__()
        self._path = path
        self._taken = taken
        self._interval = interval
        self._in_force = playbook.version
        self._settled = playbook.version
        """What was dealt with last: taken, or refused and told."""
        self._seen = playbook.version
        """What the latest look found."""

    async def look(self) -> None:
        """Look at the file once. A new content counts when a second look finds it too: a file may be half written."""
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
                log.info("playbook_in_force_again", path=str(self._path), version=found)
            elif content is None:
                self._refuse([f"{self._path}: {found}"])
            else:
                await self._take(content)

    async def _take(self, content: bytes) -> None:
        try:
            await try_apart(content, where=str(self._path))
            playbook = await asyncio.to_thread(playbook_from, content, where=str(self._path))
        except PlaybookRefused as refused:
            self._refuse(refused.told())
        except Exception as error:  # whatever a file holds, customers are served by the playbook there is
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
    """Have the role watch the file that the settings name, from its start to its end; without one there is nothing to
    watch. ``playbook`` is what the role begins with."""
    in_force(playbook)
    if settings.playbook is not None:
        interval = timedelta(seconds=settings.playbook_reload)
        role.add_dependency(PlaybookWatch(path=settings.playbook, playbook=playbook, taken=taken, interval=interval))


def in_force(playbook: Playbook) -> None:
    """Say in the metrics which playbook this process goes by."""
    metrics.PLAYBOOK.clear()
    metrics.PLAYBOOK.labels(version=playbook.version).set(1)
