"""A lightweight reader in a separate process: records when each record of the outreach topic was readable.

Arguments: bootstrap servers, topic, partitions, file. Prints one line once it reads, read-committed; on SIGTERM it
writes the file, one line per record: seconds since 1970, and the record's value in hex.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


def main(bootstrap: str, topic: str, partitions: int, file: Path) -> None:
    """Read until told to stop."""
    stopped = False

    def stop(*_: Any) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{topic}-latency",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 100,
        }
    )
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
    seen: list[tuple[float, bytes]] = []
    print("reading", flush=True)
    while not stopped:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise RuntimeError(message.error())
        seen.append((time.time(), message.value()))
    consumer.close()
    file.write_text("".join(f"{moment!r} {value.hex()}\n" for moment, value in seen))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
