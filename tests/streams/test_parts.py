"""A record in pieces: together they are its encoding, cut they are the record, and what did not change is kept."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import schemas
from streams.avro.binary import Encoder
from streams.avro.codec import expand
from streams.avro.parts import Layout
from streams.avro.records import RECORDS
from streams.avro.specialised import encoder_of
from streams.events import Channel, Contact, JourneyState, Profile, replace
from tests.drawn import examples
from tests.streams.any_record import any_record
from tests.streams.given import NOON

HEADER = b"head."
STATES = any_record(JourneyState)


def whole(name: str, record: Any) -> bytes:
    """The header and the record's encoding, made at once."""
    return HEADER + encoder(name)(record)


@cache
def encoder(name: str) -> Encoder:
    """The function that writes it whole."""
    return encoder_of(expand(schemas.latest(name)))


@cache
def layout(name: str) -> Layout[Any]:
    """How such records are cut."""
    return Layout(RECORDS[name], expand(schemas.latest(name)), HEADER)


LAYOUT = layout("careline.journey.JourneyState")


@pytest.mark.parametrize("name", sorted(RECORDS))
@settings(max_examples=examples(15), deadline=None)
@given(data=st.data())
def test_the_pieces_are_the_record(name: str, data: st.DataObject) -> None:
    """Put together and cut again, for every type of record."""
    record = data.draw(any_record(RECORDS[name]))
    parts = layout(name).encode(record, None)
    assert parts.encoded() == whole(name, record)
    assert layout(name).split(parts.encoded()) == parts


@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data(), states=st.lists(STATES, min_size=2, max_size=4))
def test_changed_again_and_again(data: st.DataObject, states: list[JourneyState]) -> None:
    """Fields from other states, items moved, left out and repeated: always the encoding of what is there."""
    parts = LAYOUT.encode(states[0], None)
    for state in states[1:]:
        now = parts.record
        names = data.draw(st.sets(st.sampled_from(now.__struct_fields__)))
        changes = {name: getattr(state, name) for name in names}
        for name in ("delays", "contacts", "outreach"):
            both = (*getattr(now, name), *getattr(state, name))
            if both and data.draw(st.booleans()):
                changes[name] = tuple(data.draw(st.lists(st.sampled_from(both), max_size=4)))
        parts = LAYOUT.encode(replace(now, **changes), parts)
        assert parts.encoded() == whole("careline.journey.JourneyState", parts.record)
        assert LAYOUT.split(parts.encoded()) == parts


def test_more_items_than_one_byte_counts() -> None:
    """Seventy conversations, and one more."""
    name = "careline.journey.JourneyState"
    contact = Contact(contact_id="c", channel=Channel.CALL, opened_at=NOON, as_of=NOON)
    state = JourneyState(
        customer_id="ana", revision=1, updated_at=NOON, profile=Profile(), touchpoints=1, recent_events=b"",
        contacts=(contact,) * 70,
    )  # fmt: skip
    parts = LAYOUT.encode(state, None)
    assert parts.encoded() == whole(name, state)
    more = LAYOUT.encode(replace(state, contacts=(*state.contacts, replace(contact, contact_id="d"))), parts)
    assert more.encoded() == whole(name, more.record)
    assert LAYOUT.split(more.encoded()) == more


@given(state=STATES)
@settings(max_examples=examples(25), deadline=None)
def test_what_did_not_change_is_kept(state: JourneyState) -> None:
    """The same piece, not an equal one."""
    before = LAYOUT.encode(state, None)
    after = LAYOUT.encode(replace(state, revision=1, delays=(*state.delays, *state.delays[:1])), before)
    kept = [was is now for was, now in zip(before.pieces, after.pieces, strict=True)]
    assert kept.count(False) <= 3 + bool(state.delays), "the three runs of plain fields, and the waits"
    assert all(was is now for was, now in zip(before.items[3], after.items[3][: len(before.items[3])], strict=True))
    assert LAYOUT.encode(before.record, before) is before


@given(state=STATES, cut=st.integers(1, 400))
@settings(max_examples=examples(25), deadline=None)
def test_what_is_cut_short_is_refused(state: JourneyState, cut: int) -> None:
    """And so is what goes on."""
    value = LAYOUT.encode(state, None).encoded()
    with pytest.raises((ValueError, IndexError, KeyError)):
        LAYOUT.split(value[: max(len(value) - cut, len(HEADER))])
    with pytest.raises(ValueError, match="ends at"):
        LAYOUT.split(value + b"\0")
