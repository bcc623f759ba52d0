"""``python -m tests.live.slow_measure run measure``: the role where the broker takes long to answer, and so do we.

Each committed offset and each record takes a while, so that what happens in Faust between seeking the first partition
and the last is not a matter of luck.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

from processors.cli import main
from streams.codec import Codec

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
