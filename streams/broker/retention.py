"""Detects records older than their topic's retention: the broker accepts them, and deletes them a moment later."""

from __future__ import annotations

from datetime import timedelta

from aiokafka.errors import KafkaError

from streams.broker.contract import Broker
from streams.clock import from_millis
from streams.config import Settings
from streams.durations import whole_millis
from streams.topics import Topic

_FOR_EVER = -1


class Aged:
    """Counts the published records whose time is beyond their topic's retention."""

    def __init__(self, settings: Settings, topic: Topic, *, broker: Broker) -> None:
        self._settings = settings
        self._broker = broker
        self._topic = topic
        self._kept = None if topic.retention is None else whole_millis(topic.retention)
        self.count = 0
        """Uses the catalogue's retention until :meth:`told` asks the broker for the real one."""
        self._oldest = 0

    def note(self, record_millis: int, *, wall_millis: int) -> None:
        """Count a record with timestamp ``record_millis`` that was published at ``wall_millis``."""
        if self._kept is not None and record_millis < wall_millis - self._kept:
            self._oldest = min(self._oldest, record_millis) if self.count else record_millis
            self.count += 1

    async def told(self, *, wall_millis: int) -> str | None:
        """The warning for the publisher; None if no record is too old for the topic's actual retention.

        It resets the count, so it is returned once. If the broker does not return its settings, those of the catalogue
        are assumed.
        """
        count, self.count = self.count, 0
        if not count:
            return None
        kept = await self._kept_by_the_broker()
        if kept == _FOR_EVER or self._oldest >= wall_millis - kept:
            return None
        name = self._settings.topics.full_name(self._topic)
        return (
            f"{count:,} records are older than {name} keeps them ({timedelta(milliseconds=kept).days} days; "
            f"the oldest is of {from_millis(self._oldest):%Y-%m-%d}): the broker deletes them, read or not. For a "
            "history run `careline topics apply --keep-history` first, and publish again"
        )

    async def _kept_by_the_broker(self) -> int:
        """The topic's retention on the broker, in ms."""
        assert self._kept is not None, "nothing is counted for a compacted topic without retention"
        name = self._settings.topics.full_name(self._topic)
        admin = self._broker.admin("careline-publisher")
        try:
            await admin.start()
            found = (await admin.configs([name]))[name].get("retention.ms")
            return self._kept if found is None else int(found[0])
        except (KafkaError, TimeoutError, OSError):
            return self._kept
        finally:
            await admin.close()
