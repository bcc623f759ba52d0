"""YAML as it is safe to read, and the line on which each entry stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from processors.playbook.faults import Fault, Place, field_of

MAX_DEPTH = 20
"""A playbook's entries are at most eight deep."""

_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "timestamp")}
_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"
_NULL = "tag:yaml.org,2002:null"
_ALIAS = "!alias"
_LONGEST_NUMBER = 40


class _Loader(yaml.SafeLoader):
    """Leaves aliases unexpanded: a file of a few lines can stand for more than fits into memory."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            return yaml.ScalarNode(_ALIAS, event.anchor, event.start_mark, event.end_mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, f"is nested deeper than {MAX_DEPTH} levels", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


@dataclass(slots=True)
class Content:
    """What a file says: mappings by text, lists, plain values; where each of it stands; and what could not be read."""

    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: dict[Place, Fault] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of the entry, or of the nearest around it that is there; counted from 1."""
        return next((self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines), 1)

    def fault(self, place: Place, problem: str) -> Fault:
        """The problem with its line."""
        return Fault(self.line(place), field_of(place), problem)

    def unread(self, place: Place) -> bool:
        """Whether this, or what is around it, could not be read anyway."""
        return any(place[:n] in self.faults for n in range(len(place) + 1))


def content_of(text: str) -> Content:
    """The file's content. What is no YAML at all is one fault; an entry that can't be taken is one each."""
    content = Content()
    loader: Any = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            content.lines[()] = node.start_mark.line + 1
            content.data = _taken(content, loader, node, ())
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


def _taken(content: Content, loader: Any, node: yaml.Node, place: Place) -> Any:
    match node:
        case yaml.MappingNode(tag=tag) if tag == _MAP:
            return _mapping(content, loader, node, place)
        case yaml.SequenceNode(tag=tag) if tag == _SEQ:
            taken = []
            for at, item in enumerate(node.value):
                content.lines[(*place, at)] = item.start_mark.line + 1
                taken.append(_taken(content, loader, item, (*place, at)))
            return taken
        case yaml.ScalarNode(tag=tag) if tag in _PLAIN:
            return _scalar(content, loader, node, place)
        case yaml.ScalarNode(tag=tag) if tag == _ALIAS:
            return _untaken(
                content, place, f"*{node.value[:_LONGEST_NUMBER]} stands for what is written elsewhere; write it out"
            )
        case _:
            return _untaken(content, place, f"the tag {node.tag} means nothing here; leave it out")


def _scalar(content: Content, loader: Any, node: yaml.ScalarNode, place: Place) -> Any:
    try:
        value = loader.construct_object(node)
    except ValueError:  # a date that is none
        value = None
    else:
        if isinstance(value, str) and not _whole(value):
            return _untaken(content, place, "holds half a character (a lone surrogate)")
    if (value is None and node.tag != _NULL) or (not isinstance(value, str) and len(node.value) > _LONGEST_NUMBER):
        return _untaken(content, place, f"{node.value[:_LONGEST_NUMBER]!r} cannot be read; in quotes it is a text")
    return value


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mapping(content: Content, loader: Any, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag == _ALIAS or not _whole(key.value):
            content.faults[(*place, f"line {line}")] = Fault(line, field_of(place), "a name has to be a text")
            continue
        name = key.value  # as it is written: `no` is the Norwegian language, not the opposite of yes
        below = (*place, name)
        if name in taken:
            problem = f"stands twice, on line {content.lines[below]} already; which one is meant?"
            content.faults.setdefault(below, Fault(line, field_of(below), problem))
            continue
        content.lines[below] = line
        taken[name] = _taken(content, loader, value, below)
    return taken


def _untaken(content: Content, place: Place, problem: str) -> None:
    content.faults[place] = content.fault(place, problem)
