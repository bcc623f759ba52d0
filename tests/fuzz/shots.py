"""The records that are sent to the roles: drawn from a seed, the same in every run."""

from __future__ import annotations

import io
import random
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import fastavro
import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streams.clock import to_millis
from tests.chaos.stories import BEGIN
from tests.fuzz.values import CUSTOMERS, values_of
from tests.fuzz.variations import Variation

MOST_BYTES = 900_000
"""Size limit of a record that is not meant as a giant; the broker accepts 1 MiB."""

_EACH = 5
_STRANGERS = 15

T = TypeVar("T")

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Shot:
    """One record. ``astray``: the distance in partitions from its key's partition."""

    kind: str
    record: str
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default_factory=list)
    astray: int = 0


def written(variation: Variation, value: Any) -> bytes | None:
    """The framed bytes; None for a value that cannot be written at all."""
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, variation.schema_id))
    try:
        fastavro.schemaless_writer(out, variation.wire, value)
    except Exception:
        return None
    return out.getvalue()


_known: dict[int, tuple[Variation, SearchStrategy[Any]]] = {}


def _values(variation: Variation) -> SearchStrategy[Any]:
    """Cached for each variation, because creating a strategy takes longer than drawing from it."""
    known = _known.get(variation.schema_id)
    if known is None or known[0] is not variation:
        known = _known[variation.schema_id] = (variation, values_of(variation.schema, now=to_millis(BEGIN)))
    return known[1]


@st.composite
def touchpoints(draw: st.DrawFn, variation: Variation, now: int) -> Shot | None:
    """A well-formed touchpoint under that schema; most of them are folded."""
    value = draw(_values(variation))
    customer = draw(st.sampled_from(CUSTOMERS))
    names = {one["name"]: one["type"] for one in variation.schema["fields"]}
    if draw(st.integers(0, 9)) < 8:
        sound: dict[str, Any] = {
            "customer_id": customer,
            "event_id": str(uuid.UUID(int=draw(st.integers(0, 2**128 - 1)))),
            "occurred_at": now * (1_000 if _micros(names.get("occurred_at")) else 1),
        }
        if draw(st.booleans()):
            sound |= {"promised_at": sound["occurred_at"], "source": "urn:test:fuzz"}
        for name, what in sound.items():
            if name in names:
                value[name] = what.encode() if names[name] == "bytes" else what
    encoded = written(variation, value)
    if encoded is None or len(encoded) > MOST_BYTES:
        return None
    kind, headers, astray, key = variation.name, [], 0, customer.encode()
    match draw(st.integers(0, 30)):  # drawing starts with 0, so 0 is an ordinary record
        case 6:
            kind, headers = "odd headers", draw(st.sampled_from(ODD_HEADERS))
        case 1:
            kind, key = "no key", None
        case 2:
            kind, key = "another key", draw(st.sampled_from((b"", b"\xff\xfe", b"odd|else", b"k" * 5_000)))
        case 3:
            kind, astray = "astray", draw(st.integers(1, 7))
        case 4:
            kind, encoded = "cut off", encoded[: draw(st.integers(0, len(encoded)))]
        case 5:
            kind, encoded = "left over", encoded + draw(st.binary(min_size=1, max_size=9))
        case _:
            pass
    return Shot(kind, variation.record.rpartition(".")[2], key, encoded, headers, astray)


ODD_HEADERS: tuple[Headers, ...] = (
    [("h", b"x" * 500_000)],
    [(f"h{number}", b"") for number in range(2_000)],
    [("", b""), ("", None)],
    [("ce_time", b"never"), ("ce_id", b"\xff"), ("ce_type", None)],
    [("ce_time", b"9999-12-31T23:59:59Z"), ("ce_time", b"0001-01-01T00:00:00Z")],
    [("ce_time", b"2013-02-08T15:00:00+99:99"), ("traceparent", b"00-" + b"z" * 5_000)],
    [("careline_dead_letter_reason", b"mine"), ("careline_dead_letter_offset", b"-1")],
    [("h\u202e\x00", b"\x00" * 100)],
)


def strangers() -> SearchStrategy[Shot]:
    """Records that are not touchpoints at all."""
    customer = st.sampled_from(CUSTOMERS).map(str.encode)
    values = st.one_of(
        st.none(),
        st.sampled_from(
            (
                b"",
                b"\x00",
                b"{}",
                b"\x00" * 5,
                b"\x00\x7f\xff\xff\xff",
                b"\x00\xff\xff\xff\xff",
                b"\x01\x00\x00\x00\x01",
            )
        ),
        st.binary(max_size=200),
    )
    return st.builds(
        lambda key, value: Shot("tombstone" if value is None else "no touchpoint", "", key, value), customer, values
    )


@st.composite
def giants(draw: st.DrawFn, variations: Sequence[Variation], now: int) -> Shot:
    """A record of up to 20 MB that is small when compressed."""
    size = draw(st.sampled_from((1 << 20, (1 << 20) + 1, 3 << 20, 9 << 20, 20 << 20)))
    filler = draw(st.sampled_from((b"\x00", b"a", "é".encode(), b"\xff")))
    variation = draw(st.sampled_from([one for one in variations if one.record.endswith("AgentNoted")]))
    head = struct.pack(">bI", 0, variation.schema_id) if draw(st.booleans()) else b""
    value = (head + filler * size)[:size]
    headers: Headers = [("h", b"y" * (1 << 20))] if draw(st.integers(0, 4)) == 0 else []
    return Shot("giant", "", draw(st.sampled_from(CUSTOMERS)).encode(), value, headers)


def batch(seed: int, number: int, *, count: int, variations: Sequence[Variation], now: int) -> list[Shot]:
    """The ``number``-th batch of a seed: about ``count`` records with times near ``now`` (ms)."""
    rng = random.Random(f"{seed} {number}")
    found: list[Shot] = []
    # one strategy over all schemas would concentrate on a few of them
    for variation in rng.choices(variations, k=max(1, count // _EACH)):
        found += [shot for shot in _drawn(touchpoints(variation, now), rng, _EACH) if shot is not None]
    found += _drawn(strangers(), rng, max(1, count // _STRANGERS))
    rng.shuffle(found)
    return found


def giant(seed: int, number: int, *, variations: Sequence[Variation], now: int) -> Shot:
    """The ``number``-th giant of a seed."""
    return _drawn(giants(variations, now), random.Random(f"{seed} giant {number}"), 3)[-1]


def _drawn(strategy: SearchStrategy[T], rng: random.Random, count: int) -> list[T]:
    found: list[T] = []

    @hypothesis.seed(rng.getrandbits(64))
    @hypothesis.settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(strategy)
    def collect(one: T) -> None:
        found.append(one)

    collect()
    return found


def _micros(kind: Any) -> bool:
    return isinstance(kind, dict) and kind.get("logicalType") == "timestamp-micros"
