"""The simple aggregate on Quix Streams, exactly-once, its state in RocksDB with a changelog.

Arguments: bootstrap servers, topic, group, schema directory, directory for the state. Runs until it is killed.
"""

import sys
import time
from typing import Any

from quixstreams import Application
from quixstreams.models import BytesDeserializer
from wire import Touchpoints, add


def main(bootstrap: str, topic: str, group: str, directory: str, state: str) -> None:
    touchpoints = Touchpoints(directory)
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=0.1,
        state_dir=state,
        auto_create_topics=True,
        loglevel="WARNING",
        producer_extra_config={"compression.type": "lz4"},
        consumer_extra_config={"session.timeout.ms": 10_000},
    )

    began = False

    def fold(value: bytes, store: Any) -> None:
        nonlocal began
        if not began:
            began = True
            print(f"first event at {time.time()}", flush=True)
        store.set("aggregate", add(store.get("aggregate"), touchpoints.decode(value)))

    source = app.topic(topic, value_deserializer=BytesDeserializer(), key_deserializer="str")
    app.dataframe(source).update(fold, stateful=True)
    app.run()


if __name__ == "__main__":
    bootstrap, topic, group, directory, state = sys.argv[1:6]
    main(bootstrap, topic, group, directory, state)
