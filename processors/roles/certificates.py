"""When the TLS certificates end that a role relies on: read from a handshake with each server, or from our own file."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from processors.roles.servers import KAFKA, LIMIT, MAIL, REDIS, REGISTRY
from processors.settings import Settings

CLIENT = "client"
"""Our own certificate, which the brokers ask for: CARELINE_KAFKA_CERT_FILE."""

_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate of ``endpoint`` at ``address``: when it ends, or why that is not known."""

    endpoint: str
    address: str
    ends: datetime | None = None
    why: str | None = None


async def certificates(
    settings: Settings, servers: tuple[str, ...], *, within: timedelta = LIMIT
) -> tuple[Certificate, ...]:
    """The certificates of those ``servers`` that use TLS, and our own file's if there is one; () without TLS.

    They are asked all at once, each with the limit, and not verified: one that has expired, or that nobody signed, is
    what an operator wants to know of. Raises SettingsError for an address that is not valid.
    """
    return tuple(await asyncio.gather(*(_read(*place, within) for place in _places(settings, servers))))


def ends(der: bytes) -> datetime:
    """The end of a certificate's validity, its ``notAfter`` (RFC 5280, 4.1). Raises ValueError if it is not one."""
    try:
        _, certificate, _ = _element(der)
        _, signed, _ = _element(certificate)
        tag, _, rest = _element(signed)
        if tag == _VERSION:  # left out in version 1
            _, _, rest = _element(rest)
        for _ in ("signature", "issuer"):
            _, _, rest = _element(rest)
        _, validity, _ = _element(rest)
        _, _, rest = _element(validity)
        tag, text, _ = _element(rest)
    except IndexError:
        raise ValueError("not a certificate") from None
    digits = text.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year, 1950 to 2049
        digits = ("19" if digits >= "5" else "20") + digits
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a certificate")
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """The tag and the content of the first element, and what follows it."""
    tag, length, at = der[0], der[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(der[2:at], "big")
    if at + length > len(der):
        raise IndexError
    return tag, der[at : at + length], der[at + length :]


Reading = Callable[[], Coroutine[Any, Any, bytes]]


async def _read(endpoint: str, address: str, read: Reading, within: timedelta) -> Certificate:
    try:
        async with asyncio.timeout(within.total_seconds()):
            der = await read()
        return Certificate(endpoint=endpoint, address=address, ends=ends(der))
    except TimeoutError:
        why = f"nothing within {within.total_seconds():g} s"
    except Exception as error:  # the edge: whatever the library or a stranger's certificate raises
        why = str(error) or type(error).__name__
    return Certificate(endpoint=endpoint, address=address, why=why)


def _places(settings: Settings, servers: tuple[str, ...]) -> Iterator[tuple[str, str, Reading]]:
    if KAFKA in servers and settings.memory_broker is None and "SSL" in settings.kafka_security_protocol:
        for address in settings.kafka_bootstrap.split(","):
            host, _, port = address.strip().rpartition(":")
            own = (settings.kafka_cert_file, settings.kafka_key_file)
            yield KAFKA, address.strip(), partial(_of_server, host.strip("[]"), int(port), own)
        if settings.kafka_cert_file is not None:
            yield CLIENT, str(settings.kafka_cert_file), partial(_of_file, settings.kafka_cert_file)
    if REGISTRY in servers and (place := _tls_place(settings.registry_url, "https", 443)) is not None:
        yield REGISTRY, "{}:{}".format(*place), partial(_of_server, *place)
    if REDIS in servers and (place := _tls_place(settings.redis_url.get_secret_value(), "rediss", 6379)) is not None:
        yield REDIS, "{}:{}".format(*place), partial(_of_server, *place)
    if MAIL in servers:
        from processors.outreach.channels.smtp import MailServer

        server = MailServer.parse(settings.smtp_url.get_secret_value())
        if server.tls or server.starttls:
            yield MAIL, f"{server.host}:{server.port}", partial(_of_mail, server.host, server.port, server.starttls)


def _tls_place(url: str, scheme: str, port: int) -> tuple[str, int] | None:
    parts = urlsplit(url)
    return (parts.hostname, parts.port or port) if parts.scheme == scheme and parts.hostname else None


def _unverified(own: tuple[Path | None, Path | None] = (None, None)) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if own[0] is not None:  # a broker may end the handshake with whoever shows none
        context.load_cert_chain(own[0], own[1])
    return context


async def _of_server(host: str, port: int, own: tuple[Path | None, Path | None] = (None, None)) -> bytes:
    _, writer = await asyncio.open_connection(host, port, ssl=_unverified(own), server_hostname=host)
    try:
        return _shown(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()


async def _of_mail(host: str, port: int, starttls: bool) -> bytes:
    from aiosmtplib import SMTP

    client = SMTP(
        hostname=host,
        port=port,
        use_tls=not starttls,
        start_tls=starttls,
        tls_context=_unverified(),
        timeout=LIMIT.total_seconds(),
    )
    try:
        await client.connect()
        return _shown(client.get_transport_info("ssl_object"))
    finally:
        with suppress(Exception):
            client.close()


async def _of_file(file: Path) -> bytes:
    text = await asyncio.to_thread(file.read_bytes)
    found = _PEM.search(text)
    if found is None:
        raise ValueError(f"{file} holds no certificate in PEM")
    return ssl.PEM_cert_to_DER_cert(found[0].decode("ascii"))


def _shown(tls: Any) -> bytes:
    der = None if tls is None else tls.getpeercert(binary_form=True)
    if not der:
        raise ValueError("it showed no certificate")
    return bytes(der)


def soonest(found: tuple[Certificate, ...]) -> dict[str, datetime]:
    """By endpoint: when the first of its certificates ends; without those that are not known."""
    sooner: dict[str, datetime] = {}
    for one in found:
        if one.ends is not None:
            sooner[one.endpoint] = min(one.ends, sooner.get(one.endpoint, one.ends))
    return sooner


def left(one: Certificate, now: datetime) -> timedelta | None:
    """How long it is still valid; negative if it has ended, None if that is not known."""
    return None if one.ends is None else one.ends - now
