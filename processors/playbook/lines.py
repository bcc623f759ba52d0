"""Reads a safe subset of YAML, and records the line of each entry.

An unquoted value is a plain decimal number, or a string in every YAML version. Everything else that YAML derives from
plain scalars (octals, base 60, booleans by many names, dates, exponents) is rejected: the author meant something else,
or another program would read something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from processors.playbook.faults import Fault, FieldPath, field_of

MAX_DEPTH = 20
"""The entries of a playbook are at most eight levels deep."""

_LONGEST_NUMBER = 40
_QUOTED = 60

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_RIGHT = "write a plain decimal number, as 100 or 4.50, or a text in quotes"
_MISREAD = tuple(
    (re.compile(pattern, re.IGNORECASE), problem)
    for pattern, problem in (
        (r"true|false|yes|no|on|off|y|n", f"is true or false in YAML; {_RIGHT}"),
        (r"[-+]?([1-9][0-9_]*(:[0-5]?[0-9])+|[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*)",
         'is a number in base 60 in YAML; write a time of day in quotes, as "22:00"'),
        (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([t ] *[0-9]{1,2}:[0-9]{2}:.*)?", f"is a date in YAML; {_RIGHT}"),
        (r"[-+]?(0x[0-9a-f_]*|0o[0-7_]*|0b[01_]*|(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)(e[-+]?[0-9_]*)?|\.inf)|\.nan",
         f"is a number in another form; {_RIGHT}"),
        (r"=|<<", f"stands for something else in YAML; {_RIGHT}"),
    )
)  # fmt: skip
"""Plain scalars that YAML 1.1, YAML 1.2 and their readers interpret differently. All are rejected."""
_NULL = re.compile(r"|~|null|Null|NULL")
_EMPTY = "is empty; leave it out if there is none"


class _Loader(yaml.BaseLoader):
    """Resolves nothing: a scalar is its text. A tag or an anchor is marked as a problem, and an alias is not expanded,
    because a file of a few lines can expand to more than fits into memory."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.problems: dict[yaml.Node, str] = {}
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            alias: yaml.Node = yaml.ScalarNode("", event.anchor, event.start_mark, event.end_mark)  # type: ignore[arg-type]
            self.problems[alias] = f"*{_short(str(event.anchor))} stands for what is written elsewhere; write it out"
            return alias
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"is nested deeper than {MAX_DEPTH} levels", event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None and event.tag is not None:
            self.problems[node] = f"the tag {_short(event.tag)} means nothing here; leave it out"
        elif node is not None and event.anchor is not None:
            self.problems[node] = (
                f"&{_short(event.anchor)} gives it a name for use elsewhere; write it out there instead"
            )
        return node


@dataclass(slots=True)
class Content:
    """The content of a file: mappings by string, lists and plain values; the line of each; and what could not be
    read."""

    data: Any = None
    lines: dict[FieldPath, int] = field(default_factory=dict)
    faults: dict[FieldPath, Fault] = field(default_factory=dict)

    def line(self, place: FieldPath) -> int:
        """Return the line of the entry, or of its nearest parent that exists; counted from 1."""
        return next((self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines), 1)

    def fault(self, place: FieldPath, problem: str) -> Fault:
        """Return the problem as a fault with its line."""
        return Fault(self.line(place), field_of(place), problem)

    def unread(self, place: FieldPath) -> bool:
        """Return whether the entry or one of its parents could not be read."""
        return any(place[:n] in self.faults for n in range(len(place) + 1))


def content_of(text: str) -> Content:
    """Return the file's content. Invalid YAML is one fault; each rejected entry is one."""
    content = Content()
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            content.lines[()] = node.start_mark.line + 1
            content.data = _value_of(content, loader, node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(filter(None, (error.context, error.problem)))
        content.faults[()] = Fault(mark.line + 1 if mark else 1, "", problem)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        content.faults[()] = Fault(line, "", f"the character #x{int(error.character):02x} can't stand in YAML")
    finally:
        if loader is not None:
            loader.dispose()
    return content


def _value_of(content: Content, loader: _Loader, node: yaml.Node, place: FieldPath) -> Any:
    if node in loader.problems:
        return _reject(content, place, loader.problems[node])
    match node:
        case yaml.MappingNode():
            return _mapping(content, loader, node, place)
        case yaml.SequenceNode():
            taken = []
            for at, item in enumerate(node.value):
                content.lines[(*place, at)] = item.start_mark.line + 1
                taken.append(_value_of(content, loader, item, (*place, at)))
            return taken
        case _:
            return _scalar(content, node, place)


def _scalar(content: Content, node: yaml.Node, place: FieldPath) -> Any:
    written: str = node.value
    if not _whole(written):
        return _reject(content, place, "holds half a character (a lone surrogate)")
    if getattr(node, "style", None) is not None:  # in quotes, or a block
        return written
    if _NULL.fullmatch(written):
        return _reject(content, place, _EMPTY)
    plain = int if _WHOLE.fullmatch(written) else float if _DECIMAL.fullmatch(written) else None
    if plain is not None:
        if len(written) > _LONGEST_NUMBER:
            return _reject(content, place, f"{_short(written)!r} is not a number; {_RIGHT}")
        return plain(written)
    for pattern, problem in _MISREAD:
        if pattern.fullmatch(written):
            return _reject(content, place, f"{_short(written)!r} {problem}")
    return written


def _short(written: str) -> str:
    return written if len(written) <= _QUOTED else f"{written[:_QUOTED]}..."


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mapping(content: Content, loader: _Loader, node: yaml.MappingNode, place: FieldPath) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if problem := _name_problem(loader, key):
            content.faults[(*place, f"line {line}")] = Fault(line, field_of(place), problem)
            continue
        name = key.value  # as written: `no` is the Norwegian language, not false
        below = (*place, name)
        if name in taken:
            problem = f"stands twice, on line {content.lines[below]} already; which one is meant?"
            content.faults.setdefault(below, Fault(line, field_of(below), problem))
            continue
        content.lines[below] = line
        taken[name] = _value_of(content, loader, value, below)
    return taken


def _name_problem(loader: _Loader, key: yaml.Node) -> str:
    """Return why the key cannot be the name of an entry; "" if it can."""
    if key in loader.problems:
        return loader.problems[key]
    if not isinstance(key, yaml.ScalarNode) or not _whole(key.value):
        return "a name has to be a text"
    if key.style is None and _NULL.fullmatch(key.value):
        return f"a name has to be a text; {_short(key.value)!r} is none without quotes"
    if key.style is None and key.value == "<<":
        return "<< would take in what is written elsewhere; write it out"
    return ""


def _reject(content: Content, place: FieldPath, problem: str) -> None:
    content.faults[place] = content.fault(place, problem)
