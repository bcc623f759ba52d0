"""A client of the Redis that the settings name, and what it means when it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, RedisError, WatchError
from redis.exceptions import TimeoutError as RedisTimeoutError

from processors.view.settings import ViewSettings
from streams.errors import SettingsError, Unavailable
from streams.secrets import redacted, without_credentials


def client_of(
    settings: ViewSettings, *, connect: timedelta, answer: timedelta, decode: bool = False
) -> tuple[Any, str]:
    """A client, not connected yet, and its server's address without credentials. ``connect``, ``answer``: how long it
    waits for either; ``decode``: texts instead of bytes. Raises SettingsError for an invalid address."""
    url = settings.redis_url.get_secret_value()
    try:
        client: Any = Redis.from_url(
            url,
            decode_responses=decode,
            encoding_errors="surrogateescape",  # packed documents are read as text; unpack restores the bytes
            socket_connect_timeout=connect.total_seconds(),
            socket_timeout=answer.total_seconds(),
            health_check_interval=15,
        )
    except (ValueError, TypeError, AttributeError):  # its message is dropped: it quotes the password
        raise SettingsError(
            f"CARELINE_REDIS_URL: {without_credentials(url)} is not valid; write redis://, rediss:// or unix://"
        ) from None
    known = client.connection_pool.connection_kwargs
    address = f"{known['host']}:{known.get('port', 6379)}" if "host" in known else str(known.get("path", ""))
    return client, address


@asynccontextmanager
async def answering(address: str, settings: ViewSettings) -> AsyncIterator[None]:
    """For calls to Redis: raises Unavailable for what the client raises, without the password."""
    url = settings.redis_url.get_secret_value()
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise Unavailable.of("Redis", address, redacted(str(error), url)) from None
    except (WatchError, DataError):  # a value that cannot be sent is not the server's fault
        raise
    except RedisError as error:  # loading, out of memory or a wrong password: an operator may fix it
        raise Unavailable.says("Redis", address, redacted(str(error), url)) from None
