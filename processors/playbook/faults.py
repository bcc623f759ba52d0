"""Reports what is wrong with a playbook file, by line and field, all of it at once."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from processors.policies.registry import names
from streams.errors import SettingsError

FieldPath = tuple[str | int, ...]
"""The names and indexes that lead to an entry: ``("caps", 0, "most")``."""

_SEVERAL = "careline_faults"


def field_of(place: FieldPath) -> str:
    """Return the path as one line, such as ``caps.0.most``."""
    return ".".join(str(part) if str(part).isprintable() else repr(part) for part in place)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. ``line`` counts from 1; ``field`` is empty if the fault concerns the whole file."""

    line: int
    field: str
    problem: str

    def told(self, where: str) -> str:
        """Return ``playbook.yaml:17: delay_care.flight.threshold: '30x' is not a duration``."""
        return ": ".join(filter(None, (f"{where}:{self.line}", self.field, self.problem)))

    def plain(self) -> dict[str, Any]:
        """Return the fault as JSON values."""
        return asdict(self)


MOST_TOLD = 100
"""Maximum faults in a message; a file can have a hundred thousand."""


class PlaybookRefused(SettingsError):
    """A playbook file has faults and is rejected as a whole. The message has a line for each of ``faults``, up to
    MOST_TOLD."""

    def __init__(self, where: str, faults: Iterable[Fault]) -> None:
        self.where = where
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(self.told()))

    def told(self) -> list[str]:
        """Return a line for each fault; beyond MOST_TOLD, one line says how many more there are."""
        lines = [fault.told(self.where) for fault in self.faults[:MOST_TOLD]]
        more = len(self.faults) - len(lines)
        return [*lines, f"{self.where}: and {more} more"] if more else lines


Misfit = tuple[FieldPath, str]
"""A path, relative to the entry being validated, and its problem."""


def refuse(misfits: Iterable[Misfit]) -> None:
    """Raise a validator's findings, each at its own field; do nothing if there are none."""
    if found := list(misfits):
        raise PydanticCustomError(_SEVERAL, "does not fit together", {"misfits": found})


def misfits(error: ValidationError, model: type[BaseModel]) -> Iterator[Misfit]:
    """Yield pydantic's errors in our wording. ``model`` is the model of the whole file."""
    for detail in error.errors(include_url=False):
        place = tuple(part for part in detail["loc"] if part != "[key]")
        if detail["type"] == _SEVERAL:
            yield from (((*place, *below), problem) for below, problem in detail["ctx"]["misfits"])
        else:
            yield place, _problem(detail, place, model)


def _problem(detail: ErrorDetails, place: FieldPath, model: type[BaseModel]) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            problem = _unknown(str(place[-1]), sorted(_names(model, place[:-1])))
            return problem if len(place) > 1 else f"{problem}. The policies that are installed: {', '.join(names())}"
        case "model_type" | "dict_type":
            return "has to be a section with names of its own"
        case "list_type":
            return "has to be a list"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "string_type":
            return "has to be a text; write it in quotes"
        case _:
            return detail["msg"]


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return "is not known here; " + (f"is {close[0]} meant?" if close else f"there are {', '.join(known)}")


def _names(model: type[BaseModel], place: FieldPath) -> Iterable[str]:
    """Return the names that the model knows at that path."""
    kind: Any = model
    for part in place:
        kind = _below(kind, part)
    found = _model(kind)
    return found.model_fields if found else ()


def _below(kind: Any, part: str | int) -> Any:
    found = _model(kind)
    if found is not None:
        return found.model_fields[str(part)].annotation
    for one in _alternatives(kind):
        if get_origin(one) in (list, dict, Mapping):
            return get_args(one)[-1]
    return None


def _model(kind: Any) -> type[BaseModel] | None:
    for one in _alternatives(kind):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _alternatives(kind: Any) -> Iterator[Any]:
    """Yield the types of a union, without their annotations."""
    if get_origin(kind) is Annotated:
        yield from _alternatives(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for one in get_args(kind):
            yield from _alternatives(one)
    else:
        yield kind


def refused(where: str, line: int, problem: str) -> NoReturn:
    """Raise PlaybookRefused for the whole file."""
    raise PlaybookRefused(where, [Fault(line, "", problem)])
