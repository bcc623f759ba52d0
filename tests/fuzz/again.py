"""``python -m tests.fuzz.again FILE``: publish the records of a finding once more.

They go to the touchpoints of the environment. The schema ids in them are those of the drive's registry: register the
drive's schemas first (``--schemas``) where the registry is another one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from processors.settings import Settings
from streams.registry.registry import ConfluentRegistry
from tests.fuzz.variations import accepted


async def again(records: Iterable[dict[str, Any]], *, schemas: bool) -> None:
    """Publish each to its partition, one after the other."""
    settings = Settings.from_environment()
    if schemas:
        registry = ConfluentRegistry(settings)
        try:
            await accepted(registry, settings.topics)
        finally:
            await registry.close()
    producer = AIOKafkaProducer(**settings.kafka_client(), compression_type="gzip", max_request_size=64 << 20)
    await producer.start()
    try:
        for said in records:
            await producer.send_and_wait(
            settings.topics.full_name(settings.topics.touchpoints), partition=said["partition"],
            key=_bytes(said["key"]), value=_bytes(said["value"]), timestamp_ms=said["timestamp"],
            headers=[(name, _bytes(value)) for name, value in said["headers"]],
        )  # fmt: skip
    finally:
        await producer.stop()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def main() -> None:
    """Publish what the file holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.again", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--schemas", action="store_true", help="register the drive's schemas first")
    asked = parser.parse_args()
    asyncio.run(again(map(json.loads, asked.file.read_text().splitlines()), schemas=asked.schemas))


if __name__ == "__main__":
    main()
