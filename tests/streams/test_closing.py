"""Closing a Kafka client does not look like a cancellation of the caller."""

from __future__ import annotations

import asyncio

import pytest

from streams.broker.closing import closed


class Connections:
    """A client's connections."""

    def __init__(self) -> None:
        self.closed = False

    async def close(self) -> None:
        """Close all of them."""
        self.closed = True


class Client:
    """A client that leaks the cancellation of its own request, as aiokafka's consumer does."""

    def __init__(self) -> None:
        self._client = Connections()

    async def stop(self) -> None:
        """Cancel the running request and wait for it."""
        request = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        request.cancel()
        await request
        await self._client.close()


async def test_a_request_of_the_client_is_not_the_caller() -> None:
    """The client's own cancelled request does not interrupt closing, and the connections are closed."""
    client = Client()
    await closed(client)
    assert client._client.closed


async def test_a_caller_that_is_cancelled_is() -> None:
    """A cancellation of the caller is raised."""

    class Hanging(Client):
        async def stop(self) -> None:
            """Waits for a server."""
            await asyncio.sleep(60)

    task = asyncio.create_task(closed(Hanging()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_holds() -> None:
    """A timeout of the caller is raised."""

    class Hanging(Client):
        async def stop(self) -> None:
            """Waits for a server."""
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await closed(Hanging())


async def test_an_administrator_is_closed_too() -> None:
    """A client that has only ``close`` is closed."""

    class Admin:
        done = False

        async def close(self) -> None:
            """The connections of an administrator."""
            self.done = True

    admin = Admin()
    await closed(admin)
    assert admin.done
