"""Checks whether a server answers, in its own protocol and not only by an open port."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import smtplib
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.parse import urlsplit

import redis
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.secrets import redacted, split_credentials

COMPATIBILITY = "FULL_TRANSITIVE"
"""The registry's default compatibility level for new schema versions."""
_SECONDS = 5
# A registry on loopback must not be called through a proxy named in the environment.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SilentError(Exception):
    """The server does not answer. The message says how the attempt ended."""


def kafka(bootstrap: str) -> None:
    """Kafka names at least one live broker. Raises SilentError."""
    address = bootstrap.split(",")[0]
    _connect(address)

    async def describe() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_SECONDS * 1000)
        try:
            await admin.start()
            brokers = (await admin.describe_cluster())["brokers"]
        finally:
            await admin.close()
        if not brokers:
            raise SilentError("it answers, but has no broker yet")

    # The broker may still be starting, and the client would log every refused connection as an error.
    library = logging.getLogger("aiokafka")
    level = library.level
    library.setLevel(logging.CRITICAL)
    try:
        _finish(describe)
    except (KafkaError, OSError, TimeoutError) as error:
        raise SilentError(f"{error!r}") from error
    finally:
        library.setLevel(level)


def _finish(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run it to its end in a new event loop in a new thread, because the caller may be in a running loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(lambda: asyncio.run(asyncio.wait_for(work(), _SECONDS))).result()


def kafka_port(bootstrap: str) -> None:
    """A broker accepts a connection: all that can be checked without credentials. Raises SilentError."""
    failures = []
    for address in bootstrap.split(","):
        try:
            return _connect(address.strip())
        except SilentError as error:
            failures.append(str(error))
    raise SilentError("; ".join(failures))


def registry(url: str) -> None:
    """The registry lists its subjects. Raises SilentError."""
    _request(f"{url}/subjects")


def demand_compatibility(url: str) -> None:
    """Set the registry's default level to COMPATIBILITY, because Apicurio checks nothing by default.

    Raises SilentError if the registry does not confirm it.
    """
    _request(f"{url}/config", method="PUT", body={"compatibility": COMPATIBILITY})
    answer = _request(f"{url}/config")
    if not isinstance(answer, Mapping) or answer.get("compatibilityLevel") != COMPATIBILITY:
        raise SilentError(f"compatibility is {answer}, not {COMPATIBILITY}")


def redis_server(url: str) -> None:
    """Redis answers PING. Raises SilentError."""
    try:
        with redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise SilentError(f"{error!r}") from error


def smtp(url: str) -> None:
    """The mail server sends its greeting. Raises SilentError."""
    try:
        parts = urlsplit(split_credentials(url)[0])
        host, port = parts.hostname or "", parts.port or 0
    except ValueError as error:
        raise SilentError("it has no host and port") from error
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    try:
        with kind(host, port, timeout=_SECONDS) as client:
            code, _ = client.noop()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise SilentError(f"{error!r}") from error
    if code != 250:
        raise SilentError(f"NOOP was answered {code}")


def monitoring(url: str) -> None:
    """Prometheus or Alertmanager is ready. Raises SilentError."""
    try:
        with _direct.open(f"{url}/-/ready", timeout=_SECONDS) as response:
            response.read()
    except (urllib.error.URLError, HTTPException, OSError) as error:
        raise SilentError(f"{url}: {error}") from error


def port(address: str) -> None:
    """Something accepts a connection at host:port. Raises SilentError."""
    _connect(address)


def silence(probe: Callable[[str], None], address: str) -> str | None:
    """Why the server at `address` does not answer; None if it does."""
    try:
        probe(address)
    except SilentError as error:
        return redacted(str(error), address)
    return None


def _connect(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS):
            return
    except (OSError, ValueError) as error:
        raise SilentError(f"{address}: {error}") from error


def _request(url: str, *, method: str = "GET", body: object = None) -> object:
    plain, name, password = split_credentials(url)
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"} if data else {}
    try:
        if name is not None:
            word = base64.b64encode(f"{name}:{password or ''}".encode()).decode()
            headers["Authorization"] = f"Basic {word}"
        # The scheme comes from the operator's own settings.
        request = urllib.request.Request(plain, data=data, method=method, headers=headers)
        with _direct.open(request, timeout=_SECONDS) as response:
            return json.loads(response.read())
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise SilentError(redacted(f"{url}: {error}", url)) from None
