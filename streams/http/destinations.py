"""Which URLs a letter may be sent to: https, to a host on the public internet, and nothing inside our network.

Others write the URL of a customer's webhook. It is checked when a profile names it; and for each connection, the
address that its name resolves to is checked again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

from streams.errors import InvalidEvent
from streams.events import Address, OutreachChannel, ProfileUpdated, Touchpoint, replace

IP = IPv4Address | IPv6Address

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LOOKS_NUMERIC = re.compile(
    r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)"
)  # resolvers take 127.1, 0x7f.1 and 2130706433 for loopback
_INNER = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")
_LONGEST = 2_048
_MOST_TOLD = 10
_PLAIN = re.compile(r"[!-~]+")
_LOWEST_FREE_PORT = 1_024

# IANA's special-purpose registries (RFC 6890), and IPv6 ranges that embed IPv4 addresses.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20", "3ffe::/16")
)  # fmt: skip
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def is_public(address: IP) -> bool:
    """Whether the address is on the public internet: not private, shared (CGNAT), loopback, link-local (cloud
    metadata), multicast, unspecified or reserved, nor an IPv6 form of such an IPv4 address."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    number = int(address)
    if address in _NAT64:
        return is_public(IPv4Address(number & 0xFFFF_FFFF))
    if address in _6TO4 and not is_public(IPv4Address(number >> 80 & 0xFFFF_FFFF)):
        return False
    if number >> 32 & 0xFFFF_FFFF in _ISATAP and not is_public(IPv4Address(number & 0xFFFF_FFFF)):
        return False
    return address in _PUBLIC_6 and not any(address in block for block in _NOT_PUBLIC_6)


@dataclass(frozen=True, slots=True)
class Destinations:
    """What is allowed besides the public internet, such as a receiver on this machine for development: by name, address
    or network. Plain http is allowed there too."""

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``localhost, 127.0.0.1, 10.1.0.0/16``; empty for none. Raises ValueError."""
        names, networks = set(), []
        for entry in filter(None, (part.strip().lower().rstrip(".") for part in text.split(","))):
            try:
                networks.append(ip_network(entry.strip("[]")))
            except ValueError:
                if not _NAME.fullmatch(entry) or _LOOKS_NUMERIC.fullmatch(entry):
                    raise ValueError(f"{entry!r} is not a host, address or network") from None
                names.add(entry)
        return cls(frozenset(names), tuple(networks))

    def fault(self, url: str) -> str | None:
        """Why the URL may not be called, as far as is known without resolving its name; None if it may."""
        if len(url) > _LONGEST or not _PLAIN.fullmatch(url):
            return "is no plain URL"
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return "is no plain URL"
        if not host or "\\" in url:
            return "has no host"
        if "@" in parts.netloc:
            return "contains a user name"
        address = _literal(host)
        if address is None and (not _NAME.fullmatch(host) or _LOOKS_NUMERIC.fullmatch(host) or len(host) > 253):
            return "has no plain host name"
        allowed = self.allows(host, address)
        if parts.scheme != "https" and not (allowed and parts.scheme == "http"):
            return "is not an https link"
        if allowed:
            return None
        if address is not None and not is_public(address):
            return "leads into a network that is not public"
        if address is None and ("." not in host or any(f".{host}".endswith(f".{inner}") for inner in _INNER)):
            return "leads into a network that is not public"
        if port is not None and port != 443 and port < _LOWEST_FREE_PORT:
            return f"leads to port {port}; allowed are 443, and 1024 and above"
        return None

    def allows(self, host: str, address: IP | None) -> bool:
        """Whether the settings allow this host, or this address of it."""
        return host in self.names or (address is not None and any(address in block for block in self.networks))

    def may_connect(self, host: str, address: IP) -> bool:
        """Whether a connection to this host may use this address, to which its name resolved."""
        return is_public(address) or self.allows(host.lower().rstrip("."), address)


STRICT = Destinations()
"""Only the public internet."""


def reachable(event: Touchpoint, destinations: Destinations) -> tuple[Touchpoint, InvalidEvent | None]:
    """The fact without the webhooks that may not be called, and the reason; the fact itself and None if all may.

    A bad address is dropped alone; the name, the time zone and the other addresses of the fact are kept.
    """
    if not isinstance(event, ProfileUpdated) or not event.addresses:
        return event, None
    faults = [(place, fault) for place, one in enumerate(event.addresses) if (fault := _fault(one, destinations))]
    if not faults:
        return event, None
    left_out = {place for place, _ in faults}
    kept = tuple(one for place, one in enumerate(event.addresses) if place not in left_out)
    said = "; ".join(f"the webhook at place {place} {fault}" for place, fault in faults[:_MOST_TOLD])
    return replace(event, addresses=kept), InvalidEvent("addresses", said)


def _fault(address: Address, destinations: Destinations) -> str | None:
    return destinations.fault(address.address) if address.channel is OutreachChannel.WEBHOOK else None


def _literal(host: str) -> IP | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: ``localhost`` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
