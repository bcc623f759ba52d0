"""Other versions of our schemas, as another house or another year would register them (Hypothesis strategies)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import schemas
from schemas.expansion import expanded

_PLAIN = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


def _takes_room(kind: Any) -> bool:
    """A list of what takes none is refused, whatever it is (tests/streams/test_what_is_read.py)."""
    if isinstance(kind, dict) and "fields" in kind:
        return any(_takes_room(field["type"]) for field in kind["fields"])
    return bool(kind != "null")


strange_types: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(_PLAIN) | st.just({"type": "fixed", "name": "F", "size": 3}),
    lambda inner: st.one_of(
        inner.filter(_takes_room).map(lambda kind: {"type": "array", "items": kind}),
        inner.map(lambda kind: {"type": "map", "values": kind}),
        inner.filter(lambda kind: kind != "null" and not isinstance(kind, list)).map(lambda kind: ["null", kind]),
        st.lists(inner, max_size=3).map(
            lambda kinds: {
                "type": "record", "name": "R",
                "fields": [{"name": f"f{at}", "type": kind} for at, kind in enumerate(kinds)],
            }
        ),
    ),
    max_leaves=4,
)  # fmt: skip
"""A type that a field of theirs may have."""


@st.composite
def other_version(draw: Any, name: str) -> Any:
    """A version that readers resolve: fields left out that have defaults, one added, their order changed, words added
    to enums, what we have optional told always."""
    optional = {field["name"] for field in schemas.latest(name)["fields"] if "default" in field}
    schema: Any = expanded(schemas.latest(name))
    widened = draw(st.booleans())
    fields = []
    for field in schema["fields"]:
        if field["name"] in optional and draw(st.booleans()):
            continue
        kind = _widened(field["type"]) if widened else field["type"]
        optional_told = isinstance(kind, list) and kind[0] == {"type": "null"} and draw(st.integers(0, 4)) == 0
        if optional_told and kind[1]["type"] != "record":  # fastavro 1.13 raises a TypeError for that
            kind = kind[1]
        fields.append({"name": field["name"], "type": kind})
    if draw(st.booleans()):
        fields.append({"name": "theirs", "type": draw(strange_types)})
    return _Named().of(schema | {"fields": draw(st.permutations(fields))})


def _widened(kind: Any) -> Any:
    """With one more word in every enum that has one for the words it does not know."""
    if isinstance(kind, list):
        return [_widened(branch) for branch in kind]
    match kind["type"]:
        case "enum" if kind["default"] is not None:
            return kind | {"symbols": [*kind["symbols"], "NEW_WORD"]}
        case "record":
            fields = [field | {"type": _widened(field["type"])} for field in kind["fields"]]
            return kind | {"fields": fields}
        case "array":
            return kind | {"items": _widened(kind["items"])}
    return kind


class _Named:
    """Makes a schema of one that is written out: a type of ours is defined where it stands first, and named after
    that; one of theirs gets a name of its own each time."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def of(self, kind: Any) -> Any:
        if isinstance(kind, list):
            return [self.of(branch) for branch in kind]
        if not isinstance(kind, dict):
            return kind
        if set(kind) == {"type"}:
            return kind["type"]
        made = {key: value for key, value in kind.items() if not (key == "default" and value is None)}
        if "name" in kind:
            made["name"] = name = kind["name"] if "." in kind["name"] else f"theirs.{kind['name']}{len(self._seen)}"
            if name in self._seen:
                return name
            self._seen.add(name)
        if "fields" in kind:
            made["fields"] = [field | {"type": self.of(field["type"])} for field in kind["fields"]]
        for inner in ("items", "values"):
            if inner in kind:
                made[inner] = self.of(kind[inner])
        return made


def value_of(kind: Any) -> st.SearchStrategy[Any]:
    """A value that fastavro writes as that type."""
    plain: dict[Any, st.SearchStrategy[Any]] = {
        "null": st.none(),
        "boolean": st.booleans(),
        "int": st.integers(-(1 << 31), (1 << 31) - 1),
        "long": st.integers(-(1 << 63), (1 << 63) - 1),
        "float": st.floats(width=32),
        "double": st.floats(),
        "bytes": st.binary(max_size=70),
        "string": st.text(max_size=70),
    }
    match kind:
        case list():
            return st.one_of(*(value_of(branch) for branch in kind))
        case str():
            return plain[kind]
        case {"type": "fixed", "size": size}:
            return st.binary(min_size=size, max_size=size)
        case {"type": "array", "items": items}:
            return st.lists(value_of(items), max_size=3)
        case {"type": "map", "values": values}:
            return st.dictionaries(st.text(max_size=3), value_of(values), max_size=3)
        case {"fields": fields}:
            return st.fixed_dictionaries({field["name"]: value_of(field["type"]) for field in fields})
    raise AssertionError(kind)
