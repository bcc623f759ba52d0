"""``python -m tests.live.slow_measure run measure``: the role with slow offsets and slow records.

Looking up each committed offset and decoding each record takes a while, so that records surely arrive between Faust's
seek of the first partition and of the last.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

from processors.cli import main
from streams.avro.codec import Codec

_OFFSET, _RECORD = 0.05, 0.1  # seconds


def slow(owner: Any, name: str, seconds: float) -> None:
    """Make a method take that much longer."""
    real = getattr(owner, name)

    async def later(*arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(seconds)
        return await real(*arguments, **named)

    setattr(owner, name, later)


if __name__ == "__main__":
    slow(AIOKafkaConsumer, "committed", _OFFSET)
    slow(Codec, "decode", _RECORD)
    main()
