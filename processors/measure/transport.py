"""Faust's Kafka transport with three corrections for which Faust has no settings; nothing else is changed.

- It reads committed records only. Faust 0.15 does so only in its exactly-once mode, which loses records when a worker
  is killed (docs/adr/0004). In at-least-once mode it would count records of aborted transactions of the journeys role.
- Nothing is delivered while partitions are being sought after a recovery. Faust lets the fetcher run meanwhile and
  empties its agents' queues afterwards, which loses records fetched from a partition that was already sought.
- A partition without a committed offset is sought to its beginning. The client leaves it where the fetcher was, which
  loses the records fetched so far.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka as driver


class _CommittedThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # the consumer is not started yet; its fetcher takes this value when it is
        consumer._isolation_level = "read_committed"
        return consumer

    async def seek_to_committed(self) -> Any:
        return await self.call_thread(self._seek_to_committed)

    async def _seek_to_committed(self) -> Any:
        consumer = self._ensure_consumer()
        committed = await consumer.seek_to_committed()
        # Faust tracks the offsets of changelogs separately
        never = [tp for tp, offset in committed.items() if not offset and not self.consumer._is_changelog_tp(tp)]
        if never:
            await consumer.seek_to_beginning(*never)
        return committed


class _CommittedConsumer(driver.Consumer):
    def _new_consumer_thread(self) -> _CommittedThread:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        # Faust resumes the flow after emptying the queues; a fetch that returns before that is sought again
        self.stop_flow()
        await super().perform_seek()


class CommittedTransport(driver.Transport):
    """Faust's transport, reading committed records only and losing none."""

    Consumer = _CommittedConsumer
