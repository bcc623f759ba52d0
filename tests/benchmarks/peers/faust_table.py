"""The simple aggregate on Faust: an agent with a table and its changelog, at least once.

Arguments: bootstrap servers, topic, group, schema directory, partitions. Runs until it is killed.
"""

import sys
import time
from typing import Any

import faust
import mode.loop
from wire import Touchpoints, add


def main(bootstrap: str, topic: str, group: str, directory: str, partitions: int) -> None:
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
    async def fold(events: Any) -> None:
        began = False
        async for value in events:
            if not began:
                began = True
                print(f"first event at {time.time()}", file=sys.__stdout__, flush=True)
            event = touchpoints.decode(value)
            table[event["customer_id"]] = add(table.get(event["customer_id"]), event)

    faust.Worker(app, loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    bootstrap, topic, group, directory, partitions = sys.argv[1:6]
    main(bootstrap, topic, group, directory, int(partitions))
