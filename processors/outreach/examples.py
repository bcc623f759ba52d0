"""Examples of what letters are written with, one file a policy: letters/<policy>/examples.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from processors.journey.playbook import worded
from processors.language import LAST_RESORT


class _Texts(yaml.SafeLoader):
    """Every value is the text that is written: 0100, 4:50 and no, too."""

    yaml_implicit_resolvers = {"<": [("tag:yaml.org,2002:merge", re.compile("<<"))]}  # noqa: RUF012 (as in PyYAML)


def examples(locale: str = LAST_RESORT) -> Mapping[str, Mapping[str, str]]:
    """For each letter of the package that has one, every variable it can use, each with an example; what somebody says
    in the language of ``locale``, or else in English."""
    return {
        letter: {name: value if isinstance(value, str) else worded(value, locale) for name, value in variables.items()}
        for letter, variables in _given().items()
    }


@cache
def _given() -> Mapping[str, Mapping[str, str | Mapping[str, str]]]:
    found: dict[str, dict[str, str | Mapping[str, str]]] = {}
    for folder in sorted(files("processors.outreach").joinpath("letters").iterdir(), key=lambda each: each.name):
        file = folder.joinpath("examples.yaml")
        if folder.is_dir() and file.is_file():
            for letter, variables in yaml.load(file.read_text(encoding="utf-8"), Loader=_Texts).items():
                found[f"{folder.name}/{letter}"] = dict(variables)
    return found
