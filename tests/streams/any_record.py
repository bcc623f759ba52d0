"""Any record whatever of a type, as long as its schema allows it (Hypothesis strategies)."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from streams.clock import from_millis, to_millis
from streams.events import Value

_FIRST, _LAST = to_millis(datetime.min.replace(tzinfo=UTC)), to_millis(datetime.max.replace(tzinfo=UTC))
_plain: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=6) | st.text("é", min_size=64, max_size=66),
    bytes: st.binary(max_size=12) | st.binary(min_size=512, max_size=512),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(-(1 << 31), (1 << 31) - 1),
    Decimal: st.integers(-(10**12) + 1, 10**12 - 1).map(lambda cents: Decimal(cents).scaleb(-2)),
    datetime: (st.integers(_FIRST, _LAST) | st.integers(0, 1 << 41)).map(from_millis),
    type(None): st.none(),
}


def any_record(cls: Any) -> st.SearchStrategy[Any]:
    """Any record of the type."""
    return st.builds(cls, **any_fields(cls))


def any_fields(cls: Any) -> dict[str, st.SearchStrategy[Any]]:
    """By name, any value of each field of the type."""
    return {name: _any(hint) for name, hint in typing.get_type_hints(cls).items()}


def _any(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _plain:
        return _plain[hint]
    if isinstance(hint, types.UnionType):
        return st.one_of(*(_any(part) for part in get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(_any(get_args(hint)[0]), max_size=2).map(tuple)
    if get_origin(hint) is Mapping:
        return st.dictionaries(_plain[str], _any(get_args(hint)[1]), max_size=3)
    if issubclass(hint, Value):
        return any_record(hint)
    assert issubclass(hint, StrEnum), hint
    return st.sampled_from(list(hint))
