"""Dead letters: the bytes as they were, and in the headers why and where from."""

from __future__ import annotations

import pytest

from streams.broker.unpacking import MOST_HEADERS
from streams.errors import Unreadable
from streams.subscribing.dead_letters import DeadLetter, headers_of
from tests.streams.given import record

WHY = Unreadable("undecodable", "schema id 7: 1 bytes left over")


def buried(value: bytes | None, why: Unreadable = WHY, **origin: object) -> DeadLetter:
    """A record put among the dead letters and read back from there."""
    original = record(value, **origin)  # type: ignore[arg-type]
    headers = headers_of(original, why, reader="careline.journeys")
    return DeadLetter.of(record(value or b"", key=original.key, headers=headers, topic="careline.dead-letters"))


def test_there_and_back() -> None:
    """What was put aside can be found again, with where it came from and why it is here."""
    letter = buried(b"\x00\x00\x00\x00\x07abc", offset=41, partition=3, headers=[("ce_id", b"1")])
    assert (letter.reason, letter.detail) == ("undecodable", "schema id 7: 1 bytes left over")
    assert (letter.topic, letter.partition, letter.offset) == ("careline.touchpoints", 3, 41)
    assert (letter.reader, letter.schema_id, letter.timestamp) == ("careline.journeys", 7, 1_770_638_400_000)
    assert (letter.key, letter.value) == (b"ana", b"\x00\x00\x00\x00\x07abc")
    assert letter.headers == (("ce_id", b"1"),)


def test_a_reason_that_holds_half_a_character() -> None:
    """A schema of others may be called anything; the dead letter is written all the same."""
    assert buried(b"x", Unreadable("unknown_event_type", "com.example.\ud83d")).detail == "com.example.\\ud83d"


def test_a_tombstone_stays_one() -> None:
    """A null comes back as a null, though the topic holds an empty value; an empty value stays empty."""
    assert buried(None).value is None
    assert buried(b"").value == b""
    assert buried(None).schema_id is None


def test_a_record_without_a_key() -> None:
    """It need not have one."""
    assert buried(b"garbage", key=None).key is None


def test_failing_again_does_not_pile_up() -> None:
    """Replayed and failed again, it tells of its last failure only."""
    first = record(b"x", headers=[("ce_id", b"1")])
    once = headers_of(first, WHY, reader="careline.journeys")
    twice = headers_of(record(b"x", headers=once), Unreadable("too_large", "now"), reader="careline.view")
    assert len(twice) == len(once)
    letter = DeadLetter.of(record(b"x", headers=twice))
    assert (letter.reason, letter.reader) == ("too_large", "careline.view")


def test_an_endless_reason_is_cut() -> None:
    """A message of megabytes does not travel in a header."""
    assert len(buried(b"x", Unreadable("undecodable", "ä" * 100_000)).detail) == 2_000


def test_of_something_that_is_none() -> None:
    """A record that somebody else wrote there is still shown."""
    letter = DeadLetter.of(record(b"x", topic="careline.dead-letters"))
    assert (letter.reason, letter.partition, letter.offset) == ("unknown", -1, -1)


@pytest.mark.parametrize("header", ["partition", "offset", "timestamp", "schema_id"])
def test_a_header_that_is_no_number(header: str) -> None:
    """A record with headers that somebody garbled is still shown."""
    headers = dict(headers_of(record(b"x"), WHY, reader="r")) | {f"careline_dead_letter_{header}": b"seven"}
    letter = DeadLetter.of(record(b"x", headers=list(headers.items())))
    assert letter.reason == "undecodable"


def test_the_reason_is_read_however_many_headers_the_record_had() -> None:
    """Readers keep the first 5,000 headers of a record, and the reason is among them."""
    many = record(b"x", headers=[("", b"")] * 200_000)
    headers = headers_of(many, WHY, reader="r")
    assert DeadLetter.of(record(b"x", headers=headers[:MOST_HEADERS])).reason == WHY.reason
