"""What the view keeps of a document is short, is the document again, and stays readable for ever."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

import msgspec
import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

import schemas
from processors.view.documents import from_plain, lean, to_json, to_plain
from processors.view.packing import pack, unpack
from processors.view.projection import Put, PutField, Rank
from schemas.jsonform import from_json
from streams import events
from streams.avro.records import RECORDS, builder_of
from tests.view.sample import DAY, DONE, STATE, TASK, TASK_TAKEN_BACK, writes

ALL = writes(*DAY, DONE, TASK, TASK_TAKEN_BACK)
DOCUMENTS = [one.value for one in ALL if isinstance(one, Put | PutField)] + [
    one.member for one in ALL if isinstance(one, Rank) and one.member.startswith("{")
]

KEPT = (
    "01aba6debc29ae516ae3348364931493545db324c3645d932453735dcb3483545d8314e344c344d334f36443439cdd140213"
    "abc0aada2a313937d52abfa05889c8e901177360790500"
)
TEXT = (
    '{"what":"DelayEnded","topic":"careline.touchpoints","partition":3,"offset":7,"record":{"event_id":"3'
    'f0c4d4e-6b1c-4b57-9f0e-0d3a1a5f7c11","occurred_at":"2026-02-11T22:07:35.926000Z","source":"urn:acme:'
    'ops","subject_kind":"parcel","subject_id":"D7"}}'
)


def test_the_dictionary_never_changes() -> None:
    """What was packed with it could not be read any more. A better one gets a number of its own."""
    kept = resources.files("processors.view").joinpath("dictionary-1.txt").read_bytes()
    assert hashlib.sha256(kept).hexdigest() == "95db0728cb3d1a073c2c146d8f58d6e9fba2a070ac00f6f10895352aad35b0d6"


def test_what_was_packed_once_is_read_for_ever() -> None:
    """A value that a Redis holds since this layout was new."""
    kept = bytes.fromhex(KEPT)
    assert unpack(kept) == TEXT
    assert unpack(kept.decode("utf-8", "surrogateescape")) == TEXT, "as the client hands it over"


@pytest.mark.parametrize("text", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_a_document_takes_about_half_at_most(text: str) -> None:
    """Every kind of document of the view; what is left of the shortest are its ids, which nothing shortens."""
    assert unpack(pack(text)) == text
    assert len(pack(text)) <= 0.55 * len(text.encode())


@for_any(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_is_itself_again(text: str) -> None:
    """Whatever somebody wrote; a text that begins as packed ones do is no exception."""
    for one in (text, text * 9, "\x01" + text):
        assert unpack(pack(one)) == one
        assert unpack(pack(one).decode("utf-8", "surrogateescape")) == one


@pytest.mark.parametrize("kept", ["", "{", '{"a":1}', "state of Anna", "{" + "x" * 500, "naïve – 中"])
def test_what_was_kept_as_text_is_read_as_text(kept: str) -> None:
    """Views from before documents were packed are read on, without being made again."""
    assert unpack(kept) == kept
    assert unpack(kept.encode()) == kept


@pytest.mark.parametrize("kept", [b"\x01", b"\x01nonsense", b"\x02" + b"x" * 70, b"\xff\xfe", pack("x" * 500)[:-3]])
def test_what_cannot_be_unpacked_is_handed_on(kept: bytes) -> None:
    """A stranger's bytes, or a newer dictionary's: the reader says that the document cannot be read, and goes on."""
    assert isinstance(unpack(kept), str)


def test_half_a_character_is_refused() -> None:
    """It is the value that is to blame, and it is told as that."""
    with pytest.raises(UnicodeEncodeError):
        pack("\ud83d" * 100)


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_lean_document_says_all_that_the_record_does(name: str) -> None:
    """Of every example of every record: what is left out is what the defaults say."""
    cls = RECORDS[name]
    for example in schemas.examples(name):
        record: Any = builder_of(cls)(from_json(schemas.latest(name), example))
        assert from_plain(cls, lean(record)) == record
        assert from_plain(cls, msgspec.json.decode(to_json(lean(record)))) == record
        assert len(to_json(lean(record))) <= len(to_json(to_plain(record)))


def test_nothing_of_a_bare_state_is_kept_but_who_and_when() -> None:
    """Most states say little; their thirty empty fields cost nothing."""
    bare = events.JourneyState(
        customer_id="a", revision=1, updated_at=STATE.updated_at, profile=events.Profile(), touchpoints=1,
        recent_events=b"",
    )  # fmt: skip
    assert set(lean(bare)) == {"customer_id", "revision", "updated_at", "profile", "touchpoints", "recent_events"}
