"""Where a letter may be sent by URL: the open internet, over https, and what a setting opens besides."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from streams.config import Settings
from streams.errors import SettingsError
from streams.events import Address, OutreachChannel, replace
from streams.http.destinations import STRICT, Destinations, is_public, reachable
from tests.journey.given import NOON, delay, profile

HOOK, MAIL = OutreachChannel.WEBHOOK, OutreachChannel.EMAIL


@pytest.mark.parametrize(
    "url",
    [
        "https://receiver.example/", "https://receiver.example:8443/hook?x=1#y", "HTTPS://Receiver.Example", "https://8.8.8.8/",
        "https://[2606:4700::1111]/", "https://receiver.example./", "https://xn--bcher-kva.example/", "https://[64:ff9b::808:808]/",
        "https://a.example?@b", "https://a_b.example/", "https://a.example:443/",
    ],
)  # fmt: skip
def test_a_public_https_link_is_one(url: str) -> None:
    """By name or by address, with or without a port."""
    assert STRICT.fault(url) is None


def test_what_python_calls_private_is_never_public() -> None:
    """A hundred thousand addresses, most of them near the edges of the special blocks: none that the standard library
    calls private, loopback, link-local, multicast, reserved or unspecified is public."""
    rng = random.Random(1)
    edges = [0, 10 << 24, 100 << 24 | 64 << 16, 127 << 24, 169 << 24 | 254 << 16, 172 << 24 | 16 << 16, 192 << 24,
             192 << 24 | 168 << 16, 198 << 24 | 18 << 16, 224 << 24, 240 << 24, 1 << 32]  # fmt: skip
    found = 0
    for _ in range(50_000):
        four = IPv4Address(min(max(rng.choice(edges) + rng.randrange(-70_000, 70_000), 0), (1 << 32) - 1))
        six = IPv6Address(rng.choice((0, 1 << 125, 0xFC << 120, 0xFE8 << 116, 0xFF << 120)) + rng.getrandbits(64))
        mapped = IPv6Address(0xFFFF << 32 | int(four))
        nat64 = IPv6Address((0x64FF9B << 96) | int(four))
        for one in (four, six, mapped, nat64):
            inner = four if one in (mapped, nat64) else one
            odd = inner.is_private or inner.is_loopback or inner.is_link_local or inner.is_multicast
            if odd or inner.is_reserved or inner.is_unspecified or one is mapped:
                assert not is_public(one), one
            found += is_public(one)
    assert found > 1_000, "nothing at all is public"


@pytest.mark.parametrize(
    "inside", ["2002:0a00:5::", "2002:a9fe:a9fe::1", "fe80::1%1", "::ffff:8.8.8.8", "64:ff9b:1::808:808"]
)
def test_the_other_family_hides_nothing(inside: str) -> None:
    """6to4, mapped, scoped and translated addresses."""
    assert not is_public(ip_address(inside))


@pytest.mark.parametrize(
    ("text", "url", "fits"),
    [
        ("localhost", "http://localhost:8080/", True), ("localhost", "http://127.0.0.1/", False),
        ("127.0.0.1", "http://127.0.0.1:9/", True), ("10.0.0.0/8", "https://10.2.3.4/", True),
        ("10.0.0.0/8", "https://11.2.3.4:22/", False), ("[::1]", "http://[::1]:1/", True),
        ("crm.internal", "https://crm.internal/", True),
        ("crm.internal", "https://a.crm.internal/", False), (" A.example , ", "http://a.example/", True),
        ("", "http://a.example/", False),
        ("10.0.0.0/8", "ftp://10.0.0.1/", False), ("10.0.0.0/8", "http://u@10.0.0.1/", False),
    ],
)  # fmt: skip
def test_what_a_setting_opens(text: str, url: str, fits: bool) -> None:
    """Names, addresses and networks, each alone; only http and https, and never a user name."""
    assert (Destinations.parse(text).fault(url) is None) is fits


@pytest.mark.parametrize(
    "text", ["http://localhost", "10.0.0.1/99", "a b", "127.1", "*", "10.0.0.1-10.0.0.9", "a.example:80"]
)
def test_a_wrong_setting_is_named(text: str) -> None:
    """At the start, not at the first letter."""
    with pytest.raises(SettingsError, match="CARELINE_WEBHOOK_ALLOW"):
        Settings.from_environment({"CARELINE_WEBHOOK_ALLOW": text})


def test_one_bad_address_costs_itself() -> None:
    """Name, zone and the other addresses of the profile stay; each one left out is told by its place."""
    good = Address(channel=MAIL, address="ana@mail.example")
    hook = Address(channel=HOOK, address="https://ana.example/")
    bad = (Address(channel=HOOK, address="http://ana.example/"), Address(channel=HOOK, address="https://10.0.0.5/"))
    told = replace(profile(NOON), addresses=(bad[0], good, bad[1], hook))
    kept, why = reachable(told, STRICT)
    assert kept == replace(told, addresses=(good, hook))
    assert why is not None
    assert why.field == "addresses"
    assert why.problem == (
        "the webhook at place 0 is not an https link; the webhook at place 2 leads into a network that is not public"
    )


def test_other_facts_are_left_alone() -> None:
    """And profiles with nothing wrong, or without addresses."""
    for fact in (profile(NOON), delay(minutes=60), replace(profile(NOON), addresses=None)):
        assert reachable(fact, STRICT) == (fact, None)
