"""The simple aggregate on Faust: an agent with a table and its changelog, at least once.

Arguments: bootstrap servers, topic, group, schema directory, partitions. Runs until it is killed.
"""

import sys
import time

import faust
import mode.loop
from wire import Touchpoints, add


def main(bootstrap, topic, group, directory, partitions):
    mode.loop.use("uvloop")
    touchpoints = Touchpoints(directory)
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        topic_partitions=partitions,
        topic_replication_factor=1,
        web_enabled=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=5_000,
        broker_commit_interval=0.25,
        stream_buffer_maxsize=16_384,
        producer_compression_type="lz4",
    )
    source = app.topic(topic, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")
    table = app.Table("aggregates", key_type=str, value_type=dict, partitions=partitions)

    @app.agent(source)
    async def fold(events):
        began = False
        async for value in events:
            if not began:
                began = True
                sys.__stdout__.write(f"first event at {time.time()}\n")
                sys.__stdout__.flush()
            event = touchpoints.decode(value)
            table[event["customer_id"]] = add(table.get(event["customer_id"]), event)

    faust.Worker(app, loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
