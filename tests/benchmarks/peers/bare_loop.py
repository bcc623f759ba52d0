"""The ceiling: a bare aiokafka loop, one transaction a batch, a producer a partition, the state in a dict.

It owns the partitions without a group, recovers nothing, checks nothing and would not survive a second worker.
Arguments: bootstrap servers, topic, group, schema directory, partitions. Runs until it is killed.
"""

import asyncio
import io
import sys
import time

import fastavro
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from wire import AGGREGATE, Aggregate, Touchpoints, add

BATCH = 1_000


async def main(bootstrap: str, topic: str, group: str, directory: str, partitions: int) -> None:
    tps = [TopicPartition(topic, number) for number in range(partitions)]
    touchpoints = Touchpoints(directory)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 << 20,
    )
    await consumer.start()
    consumer.assign(tps)
    await consumer.seek_to_beginning(*tps)
    await asyncio.gather(*(own(tp, consumer, touchpoints, bootstrap, group) for tp in tps))


async def own(
    tp: TopicPartition, consumer: AIOKafkaConsumer, touchpoints: Touchpoints, bootstrap: str, group: str
) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=f"{group}-{tp.partition}",
        acks="all",
        linger_ms=0,
        compression_type="lz4",
        max_batch_size=4 << 20,
        max_request_size=8 << 20,
    )
    await producer.start()
    out = f"{group}-aggregates"
    aggregates: dict[str, Aggregate] = {}
    while True:
        fetched = await consumer.getmany(tp, timeout_ms=200, max_records=BATCH)
        records = fetched.get(tp)
        if not records:
            continue
        if not aggregates:
            print(f"first event at {time.time()}", flush=True)
        changed = {}
        for record in records:
            event = touchpoints.decode(record.value)
            customer = event["customer_id"]
            changed[customer] = aggregates[customer] = add(aggregates.get(customer), event)
        batch = producer.create_batch()
        now = int(time.time() * 1000)
        for customer, aggregate in changed.items():
            body = io.BytesIO()
            fastavro.schemaless_writer(body, AGGREGATE, aggregate)
            if batch.append(key=customer.encode(), value=body.getvalue(), timestamp=now) is None:
                raise RuntimeError("a batch is too small for a thousand aggregates")
        await producer.begin_transaction()
        await (await producer.send_batch(batch, out, partition=tp.partition))
        await producer.send_offsets_to_transaction({tp: records[-1].offset + 1}, group)
        await producer.commit_transaction()


if __name__ == "__main__":
    bootstrap, topic, group, directory, partitions = sys.argv[1:6]
    uvloop.run(main(bootstrap, topic, group, directory, int(partitions)))
