"""Any line whatever: an event that can be published, or a refusal by the field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from processors.cli.publish import read_line
from streams.errors import InvalidEvent
from streams.publishing.validation import check_outgoing
from streams.topics import Topics
from tests.drawn import examples

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KINDS = Topics().touchpoints.records

_ends = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
_odd = st.sampled_from(["\ud83d", "a\udc80", "\0", "NaN", "1E+999999", "", " " * 300, *_ends])
_texts = st.text(st.characters(exclude_categories=()), max_size=8) | _odd
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**400), 10**400) | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def lines(draw: Any) -> bytes:
    """An example of the contract with some of its values, or its names, replaced by anything, or its bytes."""
    kind = draw(st.sampled_from(KINDS))
    said: dict[str, Any] = {"type": kind, **draw(st.sampled_from(schemas.examples(kind)))}
    for name in draw(st.lists(st.sampled_from(sorted(said)), max_size=2)):
        said[name] = draw(anything)
    if draw(st.integers(0, 3)) == 0:
        said[draw(_texts)] = draw(anything)
    line = json.dumps(said, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.binary(max_size=3)) + line[at + draw(st.integers(0, 3)) :]
    return line


@settings(max_examples=examples(400), deadline=None)
@given(line=lines())
def test_a_line_is_an_event_or_refused_by_its_field(line: bytes) -> None:
    """Nothing else comes of it, and the refusal can be printed."""
    why = refusal(line)
    if why is not None:
        assert why.field
        assert why.field.isprintable()
        assert len(str(why)) < 2_000
        json.dumps([why.field, why.problem], ensure_ascii=False).encode()


def refusal(line: bytes) -> InvalidEvent | None:
    """Why the line is refused, None where it can be published."""
    try:
        check_outgoing(read_line(line, now=NOW), now=NOW)
    except InvalidEvent as why:
        return why
    return None
