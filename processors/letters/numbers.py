"""Bounds for the numbers in letters and the arguments of filters, so that nothing takes long to render. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.filters import do_float, do_int, do_round

LARGEST = 10_000_000_000
"""Ten billion (10^10): more than the minutes until the end of the calendar."""

MOST_DIGITS = 9
"""Decimal places that a letter can round to."""

_LONGEST_ARGUMENT = 100  # characters

Argument = Callable[[nodes.Expr], str | None]
"""Describes what the argument must be if the expression is anything else; None if it is valid."""


def is_bounded(number: float) -> bool:
    """Whether a letter may contain the number."""
    return -LARGEST <= number <= LARGEST  # False for NaN


def bounded(number: float) -> float:
    """The number itself. Raises ValueError for NaN, or for one beyond LARGEST in either direction."""
    if not is_bounded(number):
        raise ValueError(f"a number beyond {LARGEST}")
    return number


def oversized(value: object) -> bool:
    """Whether a literal is a number that a letter may not contain."""
    return isinstance(value, int | float) and not is_bounded(value)


def wrong_arguments(filtered: nodes.Filter) -> str | None:
    """What is wrong with the arguments of a filter; None if they are valid. Only literals and variables are allowed,
    each within its bounds, so that nothing is computed and nothing large is requested."""
    known = ARGUMENTS.get(filtered.name, {})
    names = list(known)
    if len(filtered.args) > len(names):
        return f"the filter {filtered.name!r} takes {len(names) or 'nothing'}{' arguments at most' if names else ''}"
    given: dict[str, nodes.Expr] = dict(zip(names, filtered.args, strict=False))
    for keyword in filtered.kwargs:
        name = str(keyword.key)
        if name not in known or name in given:
            return f"the filter {filtered.name!r} has no argument {name!r}"
        given[name] = keyword.value
    for name, value in given.items():
        if (wanted := known[name](value)) is not None:
            return f"the filter {filtered.name!r} takes {wanted}"
    return None


def _literal(value: nodes.Expr) -> Any:
    if (
        isinstance(value, nodes.Neg)
        and isinstance(value.node, nodes.Const)
        and isinstance(value.node.value, int | float)
    ):
        return -value.node.value
    return value.value if isinstance(value, nodes.Const) else ...


def _number(value: nodes.Expr) -> str | None:
    found = _literal(value)
    fits = isinstance(found, int | float) and is_bounded(found)
    return None if fits else f"a literal number of at most {LARGEST}"


def _digits(value: nodes.Expr) -> str | None:
    found = _literal(value)
    return None if isinstance(found, int) and 0 <= found <= MOST_DIGITS else f"a whole number from 0 to {MOST_DIGITS}"


def _way(value: nodes.Expr) -> str | None:
    return None if _literal(value) in ("common", "ceil", "floor") else "'common', 'ceil' or 'floor'"


def _text(value: nodes.Expr) -> str | None:
    found = _literal(value)
    fits = isinstance(found, str) and len(found) <= _LONGEST_ARGUMENT
    return None if fits else f"a literal text of at most {_LONGEST_ARGUMENT} characters"


def _word(value: nodes.Expr) -> str | None:
    return None if isinstance(value, nodes.Name) or _text(value) is None else f"a variable, or {_text(value)}"


def _otherwise(value: nodes.Expr) -> str | None:
    if isinstance(value, nodes.Name) or _number(value) is None or _text(value) is None or _literal(value) is None:
        return None
    return "a variable, a literal number or a short literal text"


def _yes_or_no(value: nodes.Expr) -> str | None:
    return None if isinstance(_literal(value), bool) else "true or false"


ARGUMENTS: Mapping[str, Mapping[str, Argument]] = {
    "money": {"currency": _word},
    "round": {"precision": _digits, "method": _way},
    "int": {"default": _number},
    "float": {"default": _number},
    "trim": {"chars": _text},
    "default": {"default_value": _otherwise, "boolean": _yes_or_no},
}
"""The arguments of each filter, by name and in order; other filters take none."""


def _whole(value: Any, default: int = 0) -> float:
    return bounded(do_int(value, default))


def _float(value: Any, default: float = 0.0) -> float:
    return bounded(do_float(value, default))


def _round(value: Any, precision: int = 0, method: Any = "common") -> float:
    return bounded(do_round(bounded(value), min(max(precision, 0), MOST_DIGITS), method))


FILTERS: Mapping[str, Callable[..., Any]] = {"int": _whole, "float": _float, "round": _round}
"""Jinja's own filters, bounded whatever the values of their variables are."""
