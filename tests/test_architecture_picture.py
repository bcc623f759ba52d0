"""The picture of the packages in docs/architecture.md shows the imports as they are."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tests.architecture_picture import CLASSES, NOTES, PICTURE, ROWS, WAY, drawn, found, said_by, shown


def test_the_picture_is_of_these_imports() -> None:
    """Every room and every arrow, as thick as it is; if not: ``python -m tests.architecture_picture`` draws it anew."""
    assert said_by(PICTURE.read_text(encoding="utf-8")) == shown(found())


def test_one_import_more_is_seen() -> None:
    """An arrow that is new, gone or thicker makes the picture old; so does a room that was not there."""
    counts = found()
    pair = next(pair for pair, count in counts.items() if count >= CLASSES[0] and pair[1] not in ROWS[-1])
    old = said_by(drawn(counts))
    assert old == shown(counts)
    assert old != shown(counts | {pair: 0})
    assert old != shown(counts | {pair: 10_000})
    assert old != shown(counts | {("processors.newcomer", "streams.events"): 1})


def test_a_new_room_has_its_place() -> None:
    """A package that nobody has placed yet is drawn at the end of its row."""
    picture = drawn(found() | {("processors.newcomer", "streams.broker"): 3, ("streams.another", "streams.avro"): 3})
    assert ">newcomer<" in picture
    assert ">another<" in picture


def test_the_picture_says_what_it_shows() -> None:
    """It is well-formed, names every room with what it does, and says the way in words for those who do not see it."""
    root = ET.fromstring(PICTURE.read_text(encoding="utf-8"))
    words = " ".join(text for text in root.itertext() if text.strip())
    rooms = said_by(PICTURE.read_text(encoding="utf-8"))["rooms"]
    assert [room for room in rooms if NOTES.get(room, "?") not in words] == []
    assert [step for step in WAY if words.count(step) < 2] == []
