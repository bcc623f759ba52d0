"""Functions whose source is generated from a schema, once, and which field an error inside such a function is about."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

_numbers = itertools.count()
_fields: dict[str, list[str]] = {}


class Source:
    """Builds the source of a function, and keeps the objects that the source refers to."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known: dict[str, Any] = dict(known)

    def ref(self, thing: Any) -> str:
        """A name by which the source refers to ``thing``."""
        name = f"x{len(self._known)}"
        self._known[name] = thing
        return name

    def compiled(self, arguments: str, lines: Iterable[tuple[str, str]]) -> Any:
        """Compile a function from ``lines``: pairs of the field that a line is about (empty for none) and its source.

        A line never contains text from a foreign schema; it refers to objects made from it (:meth:`ref`).
        """
        known = ", ".join(f"{name}={name}" for name in self._known)  # default arguments are locals, which are fast
        scope = dict(self._known)
        source = [("", f"def f({arguments}, {known}):"), *lines]
        file = f"<made from a schema, {next(_numbers)}>"
        _fields[file] = [field for field, _ in source]
        exec(compile("\n".join(line for _, line in source), file, "exec"), scope)
        return scope["f"]


def field_of(error: BaseException) -> str:
    """The path of the field that a generated function handled when the error was raised, such as ``items.unit_price``.

    Empty if it handled no field.
    """
    path = []
    trace = error.__traceback__
    while trace is not None:
        fields = _fields.get(trace.tb_frame.f_code.co_filename)
        if fields is not None and (field := fields[trace.tb_lineno - 1]):
            path.append(field)
        trace = trace.tb_next
    return ".".join(path)
