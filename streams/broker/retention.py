"""Records older than their topic keeps them: the broker takes them, and they are gone a moment later."""

from __future__ import annotations

from datetime import timedelta

from aiokafka.errors import KafkaError

from streams.broker.contract import Broker
from streams.clock import from_millis
from streams.config import Settings
from streams.topics import Topic

_FOR_EVER = -1


class Aged:
    """Counts what is published with a time that its topic does not reach back to."""

    def __init__(self, settings: Settings, topic: Topic, *, broker: Broker) -> None:
        self._settings = settings
        self._broker = broker
        self._topic = topic
        self._kept = None if topic.retention is None else topic.retention // timedelta(milliseconds=1)
        self.count = 0
        """How many; what the catalogue says of the topic counts, until :meth:`told` asks the broker."""
        self._oldest = 0

    def note(self, record_millis: int, *, wall_millis: int) -> None:
        """A record of that time was published at this one."""
        if self._kept is not None and record_millis < wall_millis - self._kept:
            self._oldest = min(self._oldest, record_millis) if self.count else record_millis
            self.count += 1

    async def told(self, *, wall_millis: int) -> str | None:
        """What to tell the publisher; None where nothing is too old, or the topic keeps it all the same.

        Said once: what was counted is forgotten. A broker that does not answer about its settings is taken to have
        those of the catalogue.
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
        """The topic's retention in ms."""
        assert self._kept is not None, "nothing is counted for a topic that keeps the latest of each key"
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
