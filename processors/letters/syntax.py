"""What a letter may contain: a whitelist over its syntax tree, and a limit on the length it can grow to. Pure.

The authors of letters are not the programmers of Careline. The sandbox stops a letter from reaching outside when it is
rendered; this check refuses such a letter in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes

from processors.letters.numbers import LARGEST, oversized, wrong_arguments

FILTERS = frozenset(
    {"clock", "day", "last_day", "duration", "minutes", "money", "link", "capital", "capitalize", "lower", "upper",
     "title", "trim", "default", "int", "float", "round", "length", "first", "last"}
)  # fmt: skip
"""The filters that a letter may use. None of them makes a text longer."""

TESTS = frozenset(
    {
        "earlier_than",
        "beginning_with",
        "defined",
        "undefined",
        "none",
        "in",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "equalto",
    }
)

LONGEST_SOURCE = 20_000  # characters
LONGEST_LETTER = 100_000  # characters that it could grow to
_VARIABLE = 500  # assumed length of a variable, in characters
_DEEPEST = 40

_WORDS = re.compile(r"(?:[a-z0-9_]+/)?words\.[A-Za-z]+(?:-[A-Za-z]+)*\.jinja")
_RESERVED = frozenset({"self", "loop", "caller", "varargs", "kwargs"})

_PLAIN: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr, nodes.Assign,
    nodes.AssignBlock, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Add, nodes.Sub,
    nodes.Div, nodes.FloorDiv, nodes.Neg, nodes.Pos, nodes.Dict, nodes.Pair, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip

_NAMES: dict[type[nodes.Node], str] = {
    nodes.For: "a loop",
    nodes.Macro: "a macro",
    nodes.CallBlock: "a call block",
    nodes.FilterBlock: "a filter block",
    nodes.Include: "an include",
    nodes.Extends: "a template that it extends",
    nodes.Block: "a block",
    nodes.FromImport: "an import of single names",
    nodes.Mul: "a multiplication (*)",
    nodes.Pow: "a power (**)",
    nodes.Mod: "a remainder or format (%)",
    nodes.Slice: "a slice",
    nodes.NSRef: "a namespace",
    nodes.With: "a with block",
    nodes.Scope: "an autoescape block",
    nodes.ScopedEvalContextModifier: "an autoescape block",
}


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that a letter may not contain, and its line."""

    line: int
    problem: str


def breaches(tree: nodes.Template) -> list[Breach]:
    """Everything in the tree that a letter may not contain, in the order of its lines; [] for a valid letter."""
    found = sorted(dict.fromkeys(_Check().of(tree)), key=lambda breach: breach.line)
    return found or list(_Growth().of(tree))


def imported(tree: nodes.Template) -> list[str]:
    """The word files that the tree imports."""
    return [each.template.value for each in tree.find_all(nodes.Import) if isinstance(each.template, nodes.Const)]


@dataclass(slots=True)
class _Check:
    modules: set[str] = field(default_factory=set)

    def of(self, tree: nodes.Template) -> Iterator[Breach]:
        self.modules = {each.target for each in tree.find_all(nodes.Import)}
        return self._walk(tree, 0)

    def _walk(self, node: nodes.Node, depth: int) -> Iterator[Breach]:
        if depth > _DEEPEST:
            yield Breach(node.lineno or 1, f"it is nested more than {_DEEPEST} levels deep")
            return
        problem = self._problem(node)
        if problem is not None:
            yield Breach(node.lineno or 1, problem)
            return
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):  # checked to be {...}.get
            yield from self._walk(node.node.node, depth + 1)
        for child in node.iter_child_nodes(exclude=["node"] if isinstance(node, nodes.Call) else None):
            yield from self._walk(child, depth + 1)

    def _problem(self, node: nodes.Node) -> str | None:
        checks: dict[type[nodes.Node], Callable[[Any], str | None]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._attribute,
            nodes.Getitem: self._item,
            nodes.Call: self._call,
            nodes.Filter: lambda each: self._used(each, "filter", FILTERS) or wrong_arguments(each),
            nodes.Test: lambda each: self._used(each, "test", TESTS),
            nodes.Import: self._import,
            nodes.Const: self._constant,
        }
        kind = type(node)
        if kind in checks:
            return checks[kind](node)
        return None if kind in _PLAIN else f"{_NAMES.get(kind, kind.__name__)} is not allowed in letters"

    @staticmethod
    def _name(node: nodes.Name) -> str | None:
        if node.name.startswith("_") or node.name in _RESERVED:
            return f"the name {node.name!r} is not allowed in letters"
        return None

    def _attribute(self, node: nodes.Getattr) -> str | None:
        if not (isinstance(node.node, nodes.Name) and node.node.name in self.modules) or node.attr.startswith("_"):
            return f"the attribute {node.attr!r} is not allowed in letters; only those that a word file sets are"
        return None

    @staticmethod
    def _item(node: nodes.Getitem) -> str | None:
        return None if isinstance(node.node, nodes.Dict) else "an item of a variable is not allowed in letters"

    @staticmethod
    def _call(node: nodes.Call) -> str | None:
        asked = node.node
        plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if isinstance(asked, nodes.Getattr) and isinstance(asked.node, nodes.Dict) and asked.attr == "get" and plain:
            return None
        return "a call is not allowed in letters, except {...}.get()"

    @staticmethod
    def _used(node: nodes.Filter | nodes.Test, what: str, known: frozenset[str]) -> str | None:
        if node.name not in known:
            return f"the {what} {node.name!r} is not allowed in letters; allowed: {', '.join(sorted(known))}"
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            return f"the {what} {node.name!r} with * or ** is not allowed in letters"
        return None

    @staticmethod
    def _constant(node: nodes.Const) -> str | None:
        return f"a number beyond {LARGEST} is not allowed in letters" if oversized(node.value) else None

    @staticmethod
    def _import(node: nodes.Import) -> str | None:
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str) or not _WORDS.fullmatch(name):
            return "only a word file can be imported, by its literal name, such as words.en.jinja"
        return None


@dataclass(slots=True)
class _Growth:
    """The length that a text can grow to: every branch taken, every variable at its longest."""

    sizes: dict[str, int] = field(default_factory=dict)
    whole: int = 0

    def of(self, tree: nodes.Template) -> Iterator[Breach]:
        for statement in tree.body:
            self.whole += self._size(statement)
            if self.whole > LONGEST_LETTER:
                yield Breach(statement.lineno or 1, f"it could become longer than {LONGEST_LETTER} characters")
                return

    def _size(self, node: nodes.Node) -> int:
        match node:
            case nodes.TemplateData():
                return len(node.data)
            case nodes.Const():
                return len(str(node.value))
            case nodes.Name():
                return self.sizes.get(node.name, _VARIABLE)
            case nodes.Getattr():
                return _VARIABLE
            case nodes.Assign():
                return self._set(node.target, self._size(node.node))
            case nodes.AssignBlock():
                return self._set(node.target, sum(self._size(each) for each in node.body))
            case nodes.Import():
                return 0
        return sum(self._size(child) for child in node.iter_child_nodes())

    def _set(self, target: nodes.Node, size: int) -> int:
        for name in target.find_all(nodes.Name) if not isinstance(target, nodes.Name) else [target]:
            self.sizes[name.name] = max(size, self.sizes.get(name.name, 0))
        return size
