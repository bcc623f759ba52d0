"""Examples of what letters are written with, one file a policy: letters/<policy>/examples.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml


@cache
def examples() -> Mapping[str, Mapping[str, str]]:
    """For each letter of the package that has one, every variable it can use, each with an example."""
    found: dict[str, dict[str, str]] = {}
    for folder in sorted(files("processors.outreach").joinpath("letters").iterdir(), key=lambda each: each.name):
        file = folder.joinpath("examples.yaml")
        if folder.is_dir() and file.is_file():
            for letter, variables in yaml.safe_load(file.read_text(encoding="utf-8")).items():
                found[f"{folder.name}/{letter}"] = {name: str(value) for name, value in variables.items()}
    return found
