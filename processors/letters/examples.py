"""Examples of what letters are written with, one file a policy: written/<policy>/examples.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from processors.journey.playbook import worded
from processors.language import LAST_RESORT
from processors.policies.registry import installed


class _Texts(yaml.SafeLoader):
    """Every value is the text that is written: 0100, 4:50 and no, too."""

    yaml_implicit_resolvers = {"<": [("tag:yaml.org,2002:merge", re.compile("<<"))]}  # noqa: RUF012 (as in PyYAML)


Said = str | Mapping[str, str]
"""An example: as it is, or what somebody says, by language."""

ITEMS = "items"


def examples(locale: str = LAST_RESORT) -> Mapping[str, Mapping[str, str]]:
    """For each letter of the package that has one, every variable it can use, each with an example; what somebody says
    in the language of ``locale``, or else in English."""
    return {letter: _in(variables, locale) for letter, (variables, _) in _given().items()}


def example_items(letter: str, locale: str = LAST_RESORT) -> tuple[Mapping[str, str], ...]:
    """What a letter about several things lists in its example, as :func:`examples`; () for any other letter."""
    _, items = _given().get(letter, ({}, ()))
    return tuple(_in(item, locale) for item in items)


def _in(variables: Mapping[str, Said], locale: str) -> dict[str, str]:
    return {name: said if isinstance(said, str) else worded(said, locale) for name, said in variables.items()}


@cache
def _given() -> Mapping[str, tuple[Mapping[str, Said], tuple[Mapping[str, Said], ...]]]:
    found: dict[str, tuple[Mapping[str, Said], tuple[Mapping[str, Said], ...]]] = {}
    for plugin in installed():
        file = files(plugin.package).joinpath("letters", "examples.yaml")
        if file.is_file():
            for letter, given in yaml.load(file.read_text(encoding="utf-8"), Loader=_Texts).items():
                variables = {name: said for name, said in given.items() if name != ITEMS}
                found[f"{plugin.name}/{letter}"] = (variables, tuple(given.get(ITEMS, ())))
    return found
