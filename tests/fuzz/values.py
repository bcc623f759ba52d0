"""Extreme values of every Avro type and logical type, as encoded: times as numbers, amounts as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

TEXTS = (
    "",
    " ",
    "\t\n\r",
    "\x00",
    "\x1b[31mred\x1b[0m\x07",
    "\x7f\x80\x9f",
    "a[/b] [bold]c",
    "{{ 7*7 }}{% raw %}",
    "%s %n {0}",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽",
    "שלום עליכם مرحبا",
    "\u202eevil\u202c\u2066x",
    "a\u0300\u0301\u0302" * 50,
    "\ufeffbom",
    "\ufffd\uffff",
    "\U0010ffff\U000e0001",
    "ǅ ß ﬁ İ ı",
    "\u2028\u2029",
    "null",
    "None",
    "true",
    "0",
    "-1",
    "1e999",
    "NaN",
    "'; DROP TABLE x; --",
    "<script>alert(1)</script>",
    "a,b;c\td",
    "=HYPERLINK()",
    "../../etc/passwd",
    "C:\\x",
    "%2F%00%",
    "x" * 255,
    "x" * 256,
    "x" * 257,
    "é" * 4_000,
    "word " * 2_000,
    "z" * 100_000,
    "\n" * 500,
)
_PIECES = (
    "|",
    "/",
    "%",
    "|:",
    "a/b",
    "%2F",
    "..",
    "[/b]",
    " ",
    "é",
    "‮",
    "\n",
    "\x00",
    "👍🏽",
    ":",
    "*",
    "?",
    "#",
    "\\",
)
CUSTOMERS = (
    *(f"odd{piece}{number}{piece}" for number in range(8) for piece in _PIECES),
    *(f"--odd{number}" for number in range(8)),
    "odd" + "y" * 253,
    "odd" + "é" * 253,
)
"""Ids of odd customers. Any of them may be used, and none belongs to an ordinary customer."""

ZONES = (
    "Europe/Berlin",
    "UTC",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Africa/Casablanca",
    "America/Nuuk",
    "",
    ".",
    "/",
    "/etc/passwd",
    "../UTC",
    "europe/berlin",
    "Europe",
    "Etc/GMT+12",
    "Factory",
    "localtime",
    "posixrules",
    "UTC\x00",
    "CET-1CEST",
    "Mars/Olympus",
    "Europe/" + "x" * 300,
    "😀",
    " UTC ",
)
LOCALES = (
    "en",
    "de",
    "es",
    "de-AT",
    "de_AT.UTF-8",
    "en-US-u-ca-buddhist",
    "zh-Hant-TW",
    "ar",
    "he",
    "x",
    "",
    "-",
    "_",
    "../en",
    "en/../de",
    "C",
    "POSIX",
    "root",
    "e" * 500,
    "EN",
    "tlh",
    "en\x00",
    "😀",
)
ADDRESSES = (
    "odd@mail.example",
    "Odd.Name+tag@MAIL.example",
    '"odd name"@mail.example',
    "odd@xn--bcher-kva.example",
    "odd@bücher.example",
    "ödd@mail.example",
    "odd@[127.0.0.1]",
    "odd@mail",
    "odd@",
    "@mail.example",
    "odd",
    "",
    " odd@mail.example ",
    "a@b@c.example",
    "odd@mail.example\r\nBcc: all@mail.example",
    "odd\x00@mail.example",
    "<odd@mail.example>",
    "odd@mail..example",
    "odd,two@mail.example",
    "o" * 64 + "@mail.example",
    "o" * 65 + "@mail.example",
    "odd@" + "m" * 64 + ".example",
    "odd@" + "m." * 150 + "example",
    "o" * 2_000 + "@mail.example",
    "+4915112345678",
    "0151 123",
    "+",
    "+1" * 30,
    "tel:+1-555",
    "٠١٢٣",
    "https://127.0.0.1:9/",
    "https://[::1]:9/x",
    "http://odd.invalid/",
    "https://odd.invalid/ü?a=%00",
    "ftp://odd.invalid",
    "https://",
    "https://u:p@odd.invalid:99999/",
    "javascript:alert(1)",
    "device|1",
    "🏠",
)
CURRENCIES = ("USD", "EUR", "JPY", "BHD", "XXX", "usd", "", "€", "EURO", "U\x00D", "ZZZ")

_BOUNDARIES = (0, 1, -1, 7, 127, 128, 255, 256, 32_767, 65_536)
INTS = (*_BOUNDARIES, 2**31 - 1, -(2**31))
LONGS = (*_BOUNDARIES, 2**31, -(2**31) - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63))
DOUBLES = (0.0, -0.0, 1.5, 1e-320, 1.7e308, -1.7e308, float("inf"), float("-inf"), float("nan"))

YEAR_1, YEAR_10000 = -62_135_596_800_000, 253_402_300_800_000
MOMENTS = (
    0,
    -1,
    1,
    YEAR_1,
    YEAR_1 - 1,
    YEAR_1 + 86_400_000,
    YEAR_10000 - 1,
    YEAR_10000,
    YEAR_10000 - 86_400_000,
    946_684_799_999,
    946_684_800_000,
    1_360_335_600,
    951_782_400_000,
    1_360_335_600_000_000,
    4_102_444_800_000,
    2**63 - 1,
    -(2**63),
)
"""Milliseconds: the ends of the calendar and beyond, seconds and microseconds taken for milliseconds."""


def texts() -> SearchStrategy[str]:
    """Texts that can be encoded as UTF-8, of every kind and length."""
    drawn = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    return st.one_of(st.sampled_from(TEXTS), drawn)


def money(precision: int, scale: int) -> SearchStrategy[bytes]:
    """Decimals at, over and far over the precision, and invalid bytes."""
    edges = [
        0,
        1,
        -1,
        999,
        10**precision - 1,
        -(10**precision) + 1,
        10**precision,
        10 ** (precision + 1),
        10**13,
        -(10**40),
        10**scale,
    ]
    whole = st.sampled_from(edges).map(_two_s_complement)
    return st.one_of(whole, whole, whole, st.just(b""), st.just(b"\x00" * 40 + b"\x01"), st.binary(max_size=20))


def _two_s_complement(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


_BY_FIELD: Mapping[str, tuple[str, ...]] = {
    "time_zone": ZONES,
    "locale": LOCALES,
    "address": ADDRESSES,
    "currency": CURRENCIES,
    "other_customer_id": (*CUSTOMERS[:40], "", "odd"),
}
_FEW = ("one", "two", "F1")
"""Ids that recur, so that replies, ends and outcomes refer to something."""


def values_of(schema: Any, *, now: int, field: str = "", depth: int = 0) -> SearchStrategy[Any]:
    """Values that a writer with that (expanded) schema may write. ``now`` in ms: plausible times are near it."""
    if isinstance(schema, list):
        return st.one_of([values_of(branch, now=now, field=field, depth=depth) for branch in schema])
    if isinstance(schema, str):
        schema = {"type": schema}
    kind, logical = schema["type"], schema.get("logicalType")
    if isinstance(kind, dict | list):
        return values_of(kind, now=now, field=field, depth=depth)
    if kind in ("record", "error"):
        parts = {
            one["name"]: values_of(one["type"], now=now, field=one["name"], depth=depth + 1) for one in schema["fields"]
        }
        return st.fixed_dictionaries(parts)
    if kind == "array":
        one = values_of(schema["items"], now=now, field=field, depth=depth + 1)
        many = one.flatmap(lambda value: st.sampled_from((100, 1_000)).map(lambda count: [value] * count))
        short = st.lists(one, max_size=4)
        return st.one_of(short, short, short, many) if depth < 3 else short
    if kind == "map":
        one = values_of(schema["values"], now=now, field=field, depth=depth + 1)
        return st.dictionaries(texts(), one, max_size=3)
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    return _scalar(kind, logical, schema, now=now, field=field)


def _scalar(kind: str, logical: str | None, schema: Any, *, now: int, field: str) -> SearchStrategy[Any]:
    if kind == "null":
        return st.none()
    if kind == "boolean":
        return st.booleans()
    if logical == "decimal" and kind == "bytes":
        return money(schema["precision"], schema.get("scale", 0))
    if kind in ("bytes", "string"):
        found = _strings(field)
        return found.map(str.encode) | st.binary(max_size=30) if kind == "bytes" else found
    if kind in ("float", "double"):
        return st.sampled_from(DOUBLES)
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    if kind == "int":
        return st.sampled_from(INTS)
    if logical is None and not field.endswith("_at"):
        return st.sampled_from(LONGS)
    scale = 1_000 if logical == "timestamp-micros" else 1
    about = st.sampled_from((-7_200_000, -1, 0, 1, 1_800_000, 14_400_000, 86_400_000)).map(lambda off: now + off)
    moments = st.one_of(about, about, st.sampled_from(MOMENTS))
    return moments.map(lambda moment: max(-(2**63), min(2**63 - 1, moment * scale)))


def _strings(field: str) -> SearchStrategy[str]:
    if field in _BY_FIELD:
        return st.one_of(st.sampled_from(_BY_FIELD[field]), st.sampled_from(_BY_FIELD[field]), texts())
    if field.endswith("_id") or field == "matter":
        return st.one_of(st.sampled_from(_FEW), texts())
    return texts()
