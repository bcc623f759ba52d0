"""An erased customer stays erased."""

from __future__ import annotations

import pytest

from processors.testing import MAIL, at, delay, erased, given, profile
from streams.avro.codec import Codec
from tests.journey.codec import TOPICS, codec


@pytest.fixture(name="wire")
def the_codec() -> Codec:
    """Turns a state into what is on the topic."""
    return codec()


def test_nothing_of_them_is_left_or_comes_back(wire: Codec) -> None:
    """Outreach in progress is retracted, everything known is deleted, and facts from before the erasure change nothing,
    however late or often they arrive."""
    late = delay(minutes=60)
    ana = given(profile(), late).when(erased(at("12:30"))).then("take back notice: erased")
    kept = ana.known
    assert b"Ana" not in wire.encode(TOPICS.journeys, kept)
    assert MAIL.address.encode() not in wire.encode(TOPICS.journeys, kept)

    for fact in (profile(at("12:10")), late, delay(at("12:20"), minutes=90, subject="UA1"), late):
        for moment in ("12:40", "18:00"):
            ana.when(fact, now=at(moment)).then_nothing()
            assert ana.known == kept
