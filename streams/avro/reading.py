"""Generates the source of functions that read a record, in our own version of its schema or another one.

Every value is checked here, whoever wrote it: integers fit their bits, moments the calendar and amounts their digits
(an amount that is too long is refused before it is converted); strings are UTF-8, numbers finite, and arrays no longer
than the bytes that are left. So whatever is read can be written again (tests/streams/test_what_is_read.py).

Another version is resolved by Avro's rules (1.12, "Schema Resolution"): fields match by name; a field that the writer
does not know gets our default, or is derived from what an earlier version says in other words
(:mod:`streams.events.earlier`); a field that we do not know is skipped. The work on a record grows with its bytes,
whatever its schema.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import UnionType
from typing import Any, cast, get_args, get_type_hints

import msgspec

from schemas.expansion import Unfit, unqualified
from streams.avro import binary
from streams.avro.binary import Decoder
from streams.avro.generated import Source
from streams.clock import EPOCH
from streams.events.earlier import DERIVED

_INT = 1 << 31
_LONGEST_AMOUNT = 16  # bytes: some writers pad amounts to the width of their own integers
_KEY = 4  # a key of a map takes as much work as four values
_MOST_BRANCHES = 63  # so that a branch's number is one byte

# a length usually takes one byte; the function handles longer and negative ones
_LENGTH = ("n = b[p]; p += 1", "if n & 129: n, p = read_length(b, p - 1)", "else: n >>= 1")

_WITHIN = "if p > len(b): raise IndexError('ends too early')"


class Reading(Source):
    """Builds one function. ``ours``: the bytes are in our own version, so some checks are unnecessary."""

    def __init__(self, *, ours: bool, work: int = binary.MOST_WORK, left: list[int] | None = None) -> None:
        """``work``: the limit for one record. ``left``: for a part of a record, the work that is left and the limit of
        the whole record; None for a whole record."""
        super().__init__(_KNOWN)
        self._ours = ours
        self._outermost = left is None
        self._left = [0, work] if left is None else left

    def record(self, written: Any, wanted: Any, record: type[Any], *, whole: bool = True) -> Decoder:
        """A decoder into ``record``, or into a dict if not the ``whole`` record is wanted."""
        hints = get_type_hints(record)
        at = {field["name"]: number for number, field in enumerate(wanted["fields"])}
        kinds = {field["name"]: field["type"] for field in wanted["fields"]}
        lines: list[tuple[str, str]] = []
        if self._outermost:
            lines.append(("", f"{self.ref(self._left)}[0] = {self._left[1]}"))
        left = set(at)
        for field in written["fields"]:
            name = field["name"]
            if name in at:
                left.discard(name)
                lines += [(name, line) for line in self.of(field["type"], kinds[name], f"v{at[name]}", hints[name])]
            else:
                lines += [("", line) for line in self.past(field["type"])]
        derived = {name: DERIVED[record, name] for name in at if name in left and (record, name) in DERIVED}
        lines += [(name, f"v{at[name]} = {self._default(record, name)}") for name in at if name in left - set(derived)]
        for name, (of, by) in derived.items():
            lines.append((name, f"v{at[name]} = {self.ref(by)}({', '.join(f'v{at[one]}' for one in of)})"))
        if not self._ours:
            lines.append(("", _WITHIN))
        made = ", ".join(f"{name}=v{number}" for name, number in at.items())
        lines.append(("", f"return {self.ref(record if whole else dict)}({made}), p"))
        return cast("Decoder", self.compiled("b, p", [(name, f" {line}") for name, line in lines]))

    def of(self, written: Any, wanted: Any, into: str, hint: Any) -> list[str]:
        """Statements that read the value in ``b`` at ``p`` into the variable ``into``."""
        if isinstance(written, list):
            return self._branches(written, lambda branch: self.of(branch, wanted, into, hint))
        if isinstance(wanted, list):
            if written["type"] == "null":
                return [f"{into} = None"]
            [other] = [branch for branch in wanted if branch["type"] != "null"]
            return self.of(written, other, into, _inner(hint))
        match written["type"], wanted["type"]:
            case "string" | "bytes", "string":
                return [*_LENGTH, f"{into} = str(b[p : p + n], 'utf-8'); p += n"]
            case "bytes", "bytes" if wanted.get("logicalType") == "decimal":
                unscaled, limit = "int.from_bytes(b[p : p + n], 'big', signed=True)", 10 ** wanted["precision"]
                return [
                    *_LENGTH,
                    # before the conversion: making an integer of bytes takes time quadratic in their length
                    f"if not 0 < n <= {_LONGEST_AMOUNT}: no_amount(n)",
                    f"n, p = {unscaled}, p + n",
                    f"if not {-limit} < n < {limit}: no_digits(n, {wanted['precision']})",
                    f"{into} = Decimal(n).scaleb({-wanted['scale']})",
                ]
            case "string" | "bytes", "bytes":
                return [*_LENGTH, f"{into} = b[p : p + n]; p += n"]
            case "boolean", "boolean":
                return [f"{into} = BOOLEANS[b[p]]; p += 1"]
            case ("long", "long") | ("int", "int" | "long") if wanted.get("logicalType") == "timestamp-millis":
                return ["n, p = read_number(b, p)", f"{into} = EPOCH + timedelta(0, 0, 0, n)"]
            case "long", "long":
                return [f"{into}, p = read_number(b, p)"]
            case "int", "int" | "long":
                return [f"{into}, p = read_number(b, p)", f"if not {-_INT} <= {into} < {_INT}: no_int({into})"]
            case "int" | "long", "double":
                return ["n, p = read_number(b, p)", f"{into} = float(n)"]
            case "float" | "double" as kind, "double":
                return [f"{into}, p = read_{kind}(b, p)"]
            case "enum", "enum" if _same_name(written, wanted):
                known = {symbol: hint(symbol) for symbol in wanted["symbols"]}
                rest = known.get(wanted["default"])
                members = [known.get(symbol, rest) for symbol in written["symbols"]]
                table = self.ref({2 * at: member for at, member in enumerate(members) if member is not None})
                if len(members) > _MOST_BRANCHES:
                    return ["n, p = read_number(b, p)", f"{into} = {table}[2 * n]"]
                return [f"{into} = {table}[b[p]]; p += 1"]
            case "record", "record" if _same_name(written, wanted):
                return [f"{into}, p = {self.ref(self._inner(self._ours).record(written, wanted, hint))}(b, p)"]
            case "array", "array":
                _takes_room(written["items"])
                item = self._item(written["items"], wanted["items"], get_args(hint)[0])
                return [f"{into}, p = read_items(b, p, {self.ref(item)}, {self._work(written['items'])})"]
            case "map", "map":
                item = self._item(written["values"], wanted["values"], get_args(hint)[1])
                return [f"{into}, p = read_map(b, p, {self.ref(item)}, {self._work(written['values'], _KEY)})"]
        fault = f"{_shown(written)} was written where {_shown(wanted)} is expected"
        return [f"raise ValueError({self.ref(fault)})"]

    def past(self, written: Any) -> list[str]:
        """Statements that skip a value we do not know."""
        if isinstance(written, list):
            return self._branches(written, self.past)
        match written["type"]:
            case "null":
                return ["pass"]
            case "boolean":
                return ["p += 1"]
            case "int" | "long" | "enum":
                return ["n, p = read_number(b, p)"]
            case "float" | "double" as kind:
                return [f"p += {4 if kind == 'float' else 8}"]
            case "fixed":
                return [f"p += {int(written['size'])}"]
            case "string" | "bytes":
                return [*_LENGTH, "p += n"]
            case "array":
                _takes_room(written["items"])
                past = self.ref(self._past(written["items"]))
                return [f"n, p = read_items(b, p, {past}, {self._work(written['items'])})"]
            case "map":
                past = self.ref(self._past(written["values"]))
                return [f"n, p = read_map(b, p, {past}, {self._work(written['values'], _KEY)})"]
            case "record":
                return [f"n, p = {self.ref(self._past(written))}(b, p)"]
        raise Unfit(f"has an invalid type: {written['type']}")

    def _branches(self, written: list[Any], read: Any) -> list[str]:
        if len(written) > _MOST_BRANCHES:
            raise Unfit(f"has a union of more than {_MOST_BRANCHES} types")
        lines = ["i = b[p]; p += 1"]
        for at, branch in enumerate(written):
            lines += [f"{'elif' if at else 'if'} i == {2 * at}:", *(f" {line}" for line in read(branch))]
        return [*lines, "else: raise ValueError(f'{i} is not in the union')"] if written else ["raise ValueError()"]

    def _item(self, written: Any, wanted: Any, hint: Any) -> Decoder:
        inner = self._inner(self._ours)
        if _is_record(written) and _is_record(wanted) and _same_name(written, wanted):
            return inner.record(written, wanted, hint)
        lines = [*inner.of(written, wanted, "v", hint), *([] if self._ours else [_WITHIN]), "return v, p"]
        return cast("Decoder", inner.compiled("b, p", [("", f" {line}") for line in lines]))

    def _past(self, written: Any) -> Decoder:
        inner = self._inner(False)
        if _is_record(written):
            lines = [line for field in written["fields"] for line in inner.past(field["type"])]
        else:
            lines = inner.past(written)
        lines += [_WITHIN, "return None, p"]
        return cast("Decoder", inner.compiled("b, p", [("", f" {line}") for line in lines]))

    def _inner(self, ours: bool) -> Reading:
        return Reading(ours=ours, left=self._left)

    def _work(self, item: Any, more: int = 0) -> str:
        return f"{self.ref(self._left)}, {_weight(item) + more}"

    def _default(self, record: type[Any], name: str) -> str:
        [field] = [field for field in msgspec.structs.fields(record) if field.encode_name == name]
        if field.default is not msgspec.NODEFAULT:
            return self.ref(field.default)
        if field.default_factory is not msgspec.NODEFAULT:
            return f"{self.ref(field.default_factory)}()"
        return "missing()"


def _takes_room(written: Any) -> None:
    """Raises Unfit for items that take no bytes: any number of them would fit into a record."""
    if _empty(written):
        raise Unfit("has an array of items that take no bytes")


def _empty(written: Any) -> bool:
    if isinstance(written, list):
        return False
    match written["type"]:
        case "null":
            return True
        case "fixed":
            return bool(written["size"] == 0)
        case "record":
            return all(_empty(field["type"]) for field in written["fields"])
    return False


def _weight(item: Any) -> int:
    """The work of reading an item, in plain values; lists within it are counted when they are read."""
    if isinstance(item, list):
        return 1 + len(item) // 8 + max((_weight(branch) for branch in item), default=0)
    match item["type"]:
        case "record":
            return 1 + sum(_weight(field["type"]) for field in item["fields"])
        case "array" | "map":
            return 3
        case "int" | "long" | "enum" | "string" | "bytes":  # a number or length may take ten bytes
            return 4
    return 1


def _inner(hint: Any) -> Any:
    """The type without ``None``, if it is optional."""
    [inner] = [part for part in get_args(hint) if part is not type(None)] if isinstance(hint, UnionType) else [hint]
    return inner


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema["type"] == "record"


def _same_name(written: Any, wanted: Any) -> bool:
    return unqualified(written["name"]) == unqualified(wanted["name"])


def _shown(schema: Any) -> str:
    return " or ".join(one["type"] for one in schema) if isinstance(schema, list) else str(schema["type"])


def _no_int(value: int) -> None:
    raise OverflowError(f"a number of {value.bit_length() + 1} bits; at most 32 are allowed")


def _no_amount(length: int) -> None:
    raise ValueError(f"an amount of {length} bytes; 1 to {_LONGEST_AMOUNT} are allowed")


def _no_digits(unscaled: int, precision: int) -> None:
    raise ValueError(f"an amount of {len(str(abs(unscaled)))} digits; at most {precision} are allowed")


def _missing() -> None:
    raise ValueError("is missing from the writer's schema, and has no default")


_KNOWN = {
    "BOOLEANS": (False, True),
    "Decimal": Decimal,
    "EPOCH": EPOCH,
    "int": int,
    "len": len,
    "missing": _missing,
    "no_amount": _no_amount,
    "no_digits": _no_digits,
    "no_int": _no_int,
    "str": str,
    "timedelta": timedelta,
    "read_double": binary.read_double,
    "read_float": binary.read_float,
    "read_items": binary.read_items,
    "read_length": binary.read_length,
    "read_map": binary.read_map,
    "read_number": binary.read_number,
}
