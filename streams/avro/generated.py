"""Functions whose source is made from a schema, once, and what in a record an error inside one of them is about."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

_numbers = itertools.count()
_fields: dict[str, list[str]] = {}


class Source:
    """A function's source in the making, and what it refers to."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known: dict[str, Any] = dict(known)

    def ref(self, thing: Any) -> str:
        """A name for ``thing`` in the source."""
        name = f"x{len(self._known)}"
        self._known[name] = thing
        return name

    def compiled(self, arguments: str, lines: Iterable[tuple[str, str]]) -> Any:
        """The function of these lines, each with the field it is about, empty for none.

        No text of a schema that travelled is in a line: what is made of one is referred to.
        """
        known = ", ".join(f"{name}={name}" for name in self._known)  # as defaults they are locals, and quick
        scope = dict(self._known)
        source = [("", f"def f({arguments}, {known}):"), *lines]
        file = f"<made from a schema, {next(_numbers)}>"
        _fields[file] = [field for field, _ in source]
        exec(compile("\n".join(line for _, line in source), file, "exec"), scope)
        return scope["f"]


def field_of(error: BaseException) -> str:
    """The path of the field that a made function was at when the error was raised, as ``items.unit_price``.

    Empty where it was at none.
    """
    path = []
    trace = error.__traceback__
    while trace is not None:
        fields = _fields.get(trace.tb_frame.f_code.co_filename)
        if fields is not None and (field := fields[trace.tb_lineno - 1]):
            path.append(field)
        trace = trace.tb_next
    return ".".join(path)
