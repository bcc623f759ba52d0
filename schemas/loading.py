"""Reads the schema files of this package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

Schema = dict[str, Any]
"""An Avro schema as the parsed JSON of its file."""

NAMESPACE = "careline"


@cache
def names() -> tuple[str, ...]:
    """Full names of all records, sorted, such as ``careline.touchpoint.DelayNoticed``."""
    return tuple(
        sorted(
            f"{NAMESPACE}.{group.name}.{record.name}"
            for group in files(__package__).iterdir()
            if group.is_dir() and not group.name.startswith("_")
            for record in group.iterdir()
            if record.joinpath("v1.avsc").is_file()
        )
    )


@cache
def versions(name: str) -> Sequence[Schema]:
    """Every version of the record, oldest first. Raises KeyError for a name that is not in :func:`names`."""
    folder = _folder(name)
    found: list[Schema] = []
    while (file := folder.joinpath(f"v{len(found) + 1}.avsc")).is_file():
        found.append(json.loads(file.read_text(encoding="utf-8")))
    return tuple(found)


def latest(name: str) -> Schema:
    """The newest version, which we write. Raises KeyError for an unknown name."""
    return versions(name)[-1]


def examples(name: str) -> list[dict[str, Any]]:
    """Examples of the record as JSON: times in ISO 8601, money as a string, bytes as hexadecimal."""
    loaded: list[dict[str, Any]] = json.loads(_folder(name).joinpath("examples.json").read_text(encoding="utf-8"))
    return loaded


def _folder(name: str) -> Traversable:
    if name not in names():
        raise KeyError(name)
    _, group, record = name.split(".")
    return files(__package__).joinpath(group, record)
