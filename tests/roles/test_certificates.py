"""When certificates end is read from real handshakes, whether anybody would trust them or not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from processors.roles.certificates import CLIENT, certificates, ends, left, soonest
from processors.roles.dependencies import Dependencies
from processors.roles.servers import KAFKA, MAIL, REDIS, REGISTRY
from processors.settings import Settings
from streams.metrics import REGISTRY as METRICS
from tests.outreach.servers import MailSink
from tests.roles.listening import refused, silent
from tests.waiting import until

ALL = (KAFKA, REGISTRY, REDIS, MAIL)
NOW = datetime.now(UTC).replace(microsecond=0)
PLAIN = Settings(kafka_bootstrap="memory://certificates", registry_url="memory://certificates")


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def ending(when: datetime) -> trustme.LeafCert:
    """A certificate that ends then, of an authority that nobody trusts."""
    return trustme.CA().issue_cert("127.0.0.1", not_before=when - timedelta(days=400), not_after=when)


def self_signed(when: datetime) -> tuple[bytes, bytes]:
    """A certificate signed by its own key, and that key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody's")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(when - timedelta(days=10))
        .not_valid_after(when)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


@asynccontextmanager
async def over_tls(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server that does a handshake and no more; its port."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize(
    "when",
    [NOW + timedelta(days=3), NOW - timedelta(days=3), NOW + timedelta(days=9_000)],
    ids=["soon", "expired", "after 2050"],
)
async def test_the_end_is_read_whether_it_is_valid_or_not(when: datetime) -> None:
    """Soon expiring, expired long ago, or in a year that takes four digits."""
    async with over_tls(context_of(ending(when))) as port:
        settings = PLAIN.model_copy(update={"redis_url": SecretStr(f"rediss://:secret@127.0.0.1:{port}/0")})
        [found] = await certificates(settings, (REDIS,))
    assert (found.endpoint, found.address, found.ends, found.why) == (REDIS, f"127.0.0.1:{port}", when, None)
    assert left(found, NOW) == when - NOW


async def test_a_self_signed_certificate_is_read(tmp_path: Path) -> None:
    """Nobody vouches for it, and its end is known all the same."""
    when = NOW + timedelta(days=20)
    certificate, key = self_signed(when)
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with over_tls(context) as port:
        settings = PLAIN.model_copy(update={"registry_url": f"https://127.0.0.1:{port}"})
        [found] = await certificates(settings, (REGISTRY,))
    assert (found.endpoint, found.ends) == (REGISTRY, when)


async def test_of_several_brokers_the_first_to_end_counts_and_our_own_is_read_from_its_file(tmp_path: Path) -> None:
    """Brokers that ask for a certificate of ours get it; the soonest end of theirs is the one that hurts first."""
    authority = trustme.CA()
    later, sooner, own = (
        authority.issue_cert("127.0.0.1", not_after=NOW + timedelta(days=days)) for days in (300, 4, 30)
    )
    file, key = tmp_path / "own.pem", tmp_path / "own.key"
    file.write_bytes(b"# ours\n" + own.cert_chain_pems[0].bytes())
    key.write_bytes(own.private_key_pem.bytes())
    contexts = [context_of(later), context_of(sooner)]
    for context in contexts:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # which ends the handshake with whoever shows none
    async with over_tls(contexts[0]) as first, over_tls(contexts[1]) as second:
        settings = PLAIN.model_copy(
            update={
                "kafka_bootstrap": f"127.0.0.1:{first},127.0.0.1:{second}",
                "kafka_security_protocol": "SSL",
                "kafka_cert_file": file,
                "kafka_key_file": key,
            }
        )
        found = await certificates(settings, ALL)
    assert [one.why for one in found] == [None] * 3
    assert soonest(found) == {KAFKA: NOW + timedelta(days=4), CLIENT: NOW + timedelta(days=30)}


@pytest.mark.parametrize("starttls", [False, True], ids=["smtps", "starttls"])
async def test_a_mail_servers_certificate_is_read_both_ways(starttls: bool) -> None:
    """Encrypted from the start, or after STARTTLS; no letter is sent."""
    when = NOW + timedelta(days=12)
    async with MailSink(tls=context_of(ending(when)), starttls=starttls) as sink:
        url = f"smtp://127.0.0.1:{sink.port}?starttls" if starttls else f"smtps://127.0.0.1:{sink.port}"
        [found] = await certificates(PLAIN.model_copy(update={"smtp_url": SecretStr(url)}), (MAIL,))
        assert (found.endpoint, found.ends, sink.messages) == (MAIL, when, [])


async def test_without_tls_there_is_nothing_to_read() -> None:
    """No certificate, no metric, no connection."""
    assert await certificates(PLAIN, ALL) == ()


async def test_a_server_that_shows_none_is_told_with_the_reason() -> None:
    """Away, hung, or without TLS on that port: within two seconds, and the others are read meanwhile."""
    when = NOW + timedelta(days=5)
    async with silent() as hung, over_tls(context_of(ending(when))) as port:
        settings = PLAIN.model_copy(
            update={
                "kafka_bootstrap": f"{hung.address},{refused()},127.0.0.1:{port}",
                "kafka_security_protocol": "SSL",
            }
        )
        begun = asyncio.get_running_loop().time()
        silent_one, away, read = await certificates(settings, (KAFKA,))
        assert asyncio.get_running_loop().time() - begun < 2.5
    assert silent_one.why == "nothing within 2 s"
    assert away.why
    assert (read.ends, silent_one.ends, away.ends) == (when, None, None)


async def test_a_role_shows_when_certificates_end() -> None:
    """As Unix time, by endpoint, and only where there is TLS."""
    when = NOW + timedelta(days=7)
    async with over_tls(context_of(ending(when))) as port:
        settings = PLAIN.model_copy(update={"redis_url": SecretStr(f"rediss://127.0.0.1:{port}/0")})

        def shown(endpoint: str) -> float | None:
            return METRICS.get_sample_value(
                "careline_certificate_expiry_timestamp_seconds", {"role": "with-tls", "endpoint": endpoint}
            )

        async with Dependencies("with-tls", (KAFKA, REDIS), settings):
            await until(lambda: shown(REDIS) is not None, within=10)
        assert shown(REDIS) == when.timestamp()
        assert shown(KAFKA) is None


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03\x02\x01\x01", b"GET / HTTP/1.1"])
def test_what_is_no_certificate_is_refused(der: bytes) -> None:
    """Whatever a stranger shows, reading it ends."""
    with pytest.raises(ValueError, match="not a certificate"):
        ends(der)


def test_the_end_is_what_the_library_says() -> None:
    """Read by hand, as an independent implementation reads it."""
    for days in (-1, 1, 400, 20_000):
        pem = ending(NOW + timedelta(days=days)).cert_chain_pems[0].bytes()
        parsed = x509.load_pem_x509_certificate(pem)
        assert ends(parsed.public_bytes(serialization.Encoding.DER)) == parsed.not_valid_after_utc
