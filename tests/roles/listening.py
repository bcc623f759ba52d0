"""Servers in tests that do not do what they should: one that accepts and says nothing, and a port where none is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Silent:
    """Accepts every connection and never says a word. ``open`` are the connections it has now, ``seen`` all it had."""

    def __init__(self) -> None:
        self.open = 0
        self.seen = 0
        self.port = 0

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.seen += 1
        try:
            while await reader.read(1 << 16):
                pass
        except OSError:
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def silent() -> AsyncIterator[Silent]:
    """A real TCP listener that hangs."""
    one = Silent()
    server = await asyncio.start_server(one._take, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()


def refused() -> str:
    """host:port where nobody listens; it was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"
