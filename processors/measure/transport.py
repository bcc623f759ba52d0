"""Faust's Kafka transport, with three things put right that it has no settings for; nothing else is changed.

- It reads committed records only. Faust 0.15 asks for them in its exactly-once mode alone, which loses records when a
  worker is killed (docs/adr/0004). At-least-once, what the journeys role wrote in a transaction that was then aborted
  would be counted.
- While the partitions are sought after a recovery, nothing is delivered. Faust lets the fetcher run meanwhile and
  empties its agents' queues afterwards: what was fetched from a partition that was already sought would be lost.
- A partition that nobody committed an offset for is read from its beginning again. The client leaves it where the
  fetcher had come to, and what had been fetched meanwhile would be lost.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka as driver


class _CommittedThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # it is not started yet: the fetcher is built from this when it is
        consumer._isolation_level = "read_committed"
        return consumer

    async def seek_to_committed(self) -> Any:
        return await self.call_thread(self._seek_to_committed)

    async def _seek_to_committed(self) -> Any:
        consumer = self._ensure_consumer()
        committed = await consumer.seek_to_committed()
        # tables are read from their changelogs by offsets of their own
        never = [tp for tp, offset in committed.items() if not offset and not self.consumer._is_changelog_tp(tp)]
        if never:
            await consumer.seek_to_beginning(*never)
        return committed


class _CommittedConsumer(driver.Consumer):
    def _new_consumer_thread(self) -> _CommittedThread:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        # Faust resumes the flow once it has emptied the queues; a fetch that returns before then seeks again
        self.stop_flow()
        await super().perform_seek()


class CommittedTransport(driver.Transport):
    """As Faust's own; what is read is read-committed, and read to its end."""

    Consumer = _CommittedConsumer
