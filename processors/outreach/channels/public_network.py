"""Connections for URLs that other people wrote: to the address that was checked, and to no other.

The name is resolved here and the connection goes to the very address that was found public, so that a name which
resolves to something else a moment later leads nowhere.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from ipaddress import ip_address

import httpcore
import httpx

from processors.outreach.errors import Refused
from streams.http.destinations import IP, Destinations

Resolve = Callable[[str, int], Awaitable[Sequence[IP]]]
"""The addresses of a host, best first. Raises OSError."""


@cache
def _tls() -> ssl.SSLContext:
    """One for all connections: reading the authorities' certificates takes a while."""
    return httpx.create_ssl_context(trust_env=False)


class PublicTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, which connects only where ``destinations`` let it. Raises Refused where they don't."""

    def __init__(self, *, destinations: Destinations, connections: int, resolve: Resolve | None = None) -> None:
        """``resolve``: instead of the system's resolver."""
        super().__init__(verify=_tls(), trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=connections,
            keepalive_expiry=5.0,
            network_backend=_Checked(destinations, resolve or resolved),
        )


_RESOLVERS = ThreadPoolExecutor(8, thread_name_prefix="webhook-names")
"""Threads of their own: names that take long to resolve must not hold up those of brokers and mail servers."""


async def resolved(host: str, port: int) -> Sequence[IP]:
    """What the system's resolver says. Raises OSError."""
    look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, look)
    return tuple(dict.fromkeys(ip_address(place[0]) for *_, place in found))


class _Checked(httpcore.AsyncNetworkBackend):
    def __init__(self, destinations: Destinations, resolve: Resolve) -> None:
        self._destinations = destinations
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"the name cannot be resolved: {error.strerror or error}") from error
        if not all(self._destinations.may_connect(host, address) for address in addresses):
            raise Refused("the receiver's name leads into a network that is not public")
        failed: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout=timeout, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.UnsupportedProtocol("letters are not sent to sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)
