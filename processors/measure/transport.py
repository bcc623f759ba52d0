"""Faust's Kafka transport, reading committed records only.

Faust 0.15 asks for committed records in its exactly-once mode alone, which loses records when a worker is killed
(docs/adr/0004). At-least-once, what the journeys role wrote in a transaction that was then aborted would be counted.
There is no setting for it, so the consumer's own factory method is overridden here, and nothing else.
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


class _CommittedConsumer(driver.Consumer):
    def _new_consumer_thread(self) -> _CommittedThread:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):
    """As Faust's own; what is read is read-committed."""

    Consumer = _CommittedConsumer
