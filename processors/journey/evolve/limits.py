"""Truncates the texts and lists of a fact, so that no single fact makes a customer's state outgrow its topic."""

from __future__ import annotations

import hashlib
from functools import cache
from inspect import get_annotations
from typing import Any, TypeVar

from processors.journey.evolve.parcels import MOST_ITEMS
from streams.events import Value, replace

MAX_NAME = 200
"""Maximum bytes of an id or a name. A longer one is cut and ends in a digest, so that it stays unique."""

MAX_TEXT = 600
"""Maximum bytes of a free text; the touchpoint keeps the whole text."""

MAX_LINK = 500

MAX_PARTS = {
    "addresses": 10,
    "alternatives": 5,
    "items": MOST_ITEMS,
    "consents": 400,
    "suppressions": 400,
    "settled": 80,
}
"""Maximum entries of each list; an order's items are only counted."""

_TEXTS = frozenset({"summary", "description", "text", "matter"})
_IDENTITIES = ("event_id", "customer_id")
_LONGEST_CHARACTER = 4

E = TypeVar("E", bound=Value)


def within_limits(event: E) -> E:
    """Return the fact with its texts and lists truncated; the same object if nothing is too long."""
    changes: dict[str, Any] = {}
    for name, limit, surely_within in _limits(type(event)):
        value = getattr(event, name)
        if value is None:
            continue
        if isinstance(value, str):
            if len(value) > surely_within and (kept := _shortened(name, value, limit)) != value:
                changes[name] = kept
        elif value:
            parts = tuple(within_limits(part) for part in value[: MAX_PARTS[name]])
            if parts != value:
                changes[name] = parts
    return replace(event, **changes) if changes else event


@cache
def _limits(cls: type[Any]) -> tuple[tuple[str, int, int], ...]:
    """Return, for every text and list of a fact, its name, its limit in bytes, and a length in characters that is
    within it."""
    named = {name: str(kind) for base in reversed(cls.__mro__) for name, kind in get_annotations(base).items()}
    fields = ((name, kind) for name, kind in named.items() if name not in _IDENTITIES)
    limits = ((name, _limit(name)) for name, kind in fields if "str" in kind or "tuple" in kind)
    return tuple((name, limit, limit // _LONGEST_CHARACTER) for name, limit in limits)


def _limit(name: str) -> int:
    if name in _TEXTS:
        return MAX_TEXT
    return MAX_LINK if name.endswith("link") else MAX_NAME


def _shortened(name: str, value: str, limit: int) -> str:
    encoded = value.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return value
    end = "…" if name in _TEXTS else "~" + hashlib.blake2b(encoded, digest_size=8).hexdigest()
    return encoded[: limit - len(end.encode())].decode("utf-8", "ignore") + end
