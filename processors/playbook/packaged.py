"""The packaged playbook: a frame, filled with the defaults of every installed policy.

A policy's ``defaults.yaml`` begins with its section. What follows the lines ``#> holdouts`` and ``#> experiments`` is
inserted below these names.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from processors.policies.registry import in_sections, names

FRAME = Path(str(files("processors").joinpath("playbook.yaml")))
"""Its text without the policies; the path of this file also stands for the packaged playbook."""

DEFAULTS = "defaults.yaml"

_MARK = "#> "
_WIDTH = 120
_SECTIONS, _HOLDOUTS, _EXPERIMENTS, _PRIORITY = "sections", "holdouts", "experiments", "priority"
_NONE = {_HOLDOUTS: "holdouts: {}\n", _EXPERIMENTS: "experiments: []\n"}


@cache
def packaged_playbook() -> str:
    """Return the whole text."""
    parts: dict[str, list[str]] = {_SECTIONS: [], _HOLDOUTS: [], _EXPERIMENTS: []}
    for plugin in in_sections():
        for part, text in defaults_of(plugin.package).items():
            parts[part].append(text)
    filled = {part: f"{part}:\n{''.join(texts)}" if texts else _NONE[part] for part, texts in list(parts.items())[1:]}
    filled[_SECTIONS] = "".join(f"{text}\n" for text in parts[_SECTIONS])
    filled[_PRIORITY] = _priority()
    return "".join(_filled(FRAME.read_text(encoding="utf-8"), filled))


def defaults_of(package: str) -> Mapping[str, str]:
    """Return the parts that the package's policy adds to the default playbook, by name; nothing if it is off by
    default."""
    file = files(package).joinpath(DEFAULTS)
    if not file.is_file():
        return {}
    section, *rest = re.split(rf"(?m)^{_MARK}({_HOLDOUTS}|{_EXPERIMENTS})\n", file.read_text(encoding="utf-8"))
    return {_SECTIONS: section, **dict(zip(rest[::2], rest[1::2], strict=True))}


def _filled(frame: str, parts: Mapping[str, str]) -> Iterator[str]:
    for line in frame.splitlines(keepends=True):
        if not line.startswith(_MARK):
            yield line
        else:  # a line that names no part is a comment on the frame
            yield parts.get(line.removeprefix(_MARK).strip(), "")


def _priority() -> str:
    lines = textwrap.wrap(f"priority: [{', '.join(names())}]", _WIDTH, subsequent_indent=" " * len("priority: ["))
    return "\n".join(lines) + "\n"
