"""What every role promises to whoever starts it, watches it and stops it, and what all of them do alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mode import Service

from processors.roles.servers import KAFKA, REGISTRY
from streams.patience import FIRST_CONNECTION, Patience
from streams.processor import Processor
from streams.registry.registry import Registry


class Role(Service):
    """One job, done in one process from ``start`` to ``stop``.

    A role is made by :mod:`processors.roles.wiring` from settings and keyword-only collaborators, which it owns from
    then on. Making it asks no server. ``start`` may wait for servers that do not answer yet, and is left when the role
    is stopped meanwhile. ``stop`` finishes what is under way and lets go of every connection; it may be called twice,
    and before ``start``. A failure that the role cannot deal with makes it ``crashed``, with its ``crash_reason``.
    """

    name: ClassVar[str]
    """As in ``careline run NAME``."""
    servers: ClassVar[tuple[str, ...]] = (KAFKA, REGISTRY)
    """Those it cannot do its job without, as :mod:`processors.roles.servers` names them."""

    def __init__(self, *, registry: Registry) -> None:
        super().__init__()
        self._registry = registry

    @abstractmethod
    def missing(self) -> list[str]:
        """What the role lacks while it runs, in words for an operator; [] where nothing."""

    def waiting_for(self) -> list[str]:
        """What keeps the role from doing its job right now, in words for an operator; [] when it does it."""
        if not self.started:
            return ["its start"]
        if self.crashed:
            return [f"a restart: it failed with {self.crash_reason!r}"]
        if self.should_stop:
            return ["a restart: it was stopped"]
        return self.missing()

    @property
    def ready(self) -> bool:
        """Whether the role does its job: it was started, and waits for nothing."""
        return not self.waiting_for()

    def broken(self) -> list[str]:
        """What does not mend by itself, so that the process should be restarted; [] where nothing."""
        return []

    def routes(self) -> Mapping[str, Callable[[], Any]]:
        """What it shows beside its health and metrics: paths, each with a function whose value is answered as JSON."""
        return {}

    async def on_shutdown(self) -> None:
        """The last thing: let go of the registry."""
        await self._registry.close()

    def _patience_with_servers(self) -> Patience:
        """For calls to servers: repeated until they are answered or the role is stopped."""
        return Patience(stopping=lambda: self.should_stop, sleep=self.sleep, trouble=FIRST_CONNECTION)


class ProcessorRole(Role):
    """A role whose job is a transactional processor, which starts, stops and fails with it."""

    def __init__(self, processor: Processor[Any], *, registry: Registry) -> None:
        super().__init__(registry=registry)
        self._processor: Processor[Any] = processor
        self.add_dependency(processor)

    def missing(self) -> list[str]:
        """Partitions that are not assigned, not recovered or stopped."""
        return self._processor.waiting_for()

    def broken(self) -> list[str]:
        """Partitions that stopped, or are stuck although the brokers answer."""
        return self._processor.broken()
