"""Every program of docs/testing.md runs, and a failure looks as the page shows it."""

from __future__ import annotations

import re
from types import ModuleType
from typing import NamedTuple

import pytest

import processors.testing
from tests.test_docs import CODE, text

PAGE = "docs/testing.md"
FAILS = "When a test fails"
"""The section whose program is there to fail."""


class Program(NamedTuple):
    """A program of the page, and the section in which it stands."""

    section: str
    code: str


def programs(language: str, *, fail: bool = False) -> list[Program]:
    """The page's blocks in that language, but for those of the section about failures; or these alone."""
    found = []
    for section in text(PAGE).split("\n## "):
        title = section.partition("\n")[0].removeprefix("# ")
        if fail is (title == FAILS):
            found += [Program(title, one["code"]) for one in CODE.finditer(section) if one["language"] == language]
    return found


@pytest.mark.parametrize("program", programs("python"), ids=lambda program: program.section)
def test_the_programs_of_the_page_pass(program: Program) -> None:
    """Each is a test module that stands by itself: its tests are run as pytest would."""
    module = ModuleType("page")
    exec(compile(program.code, f"{PAGE}: {program.section}", "exec"), vars(module))
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_a_failure_looks_as_the_page_shows_it() -> None:
    """Word for word, so that whoever reads the page knows what to expect."""
    [program], [shown] = programs("python", fail=True), programs("text", fail=True)
    with pytest.raises(AssertionError) as failure:
        exec(compile(program.code, PAGE, "exec"), {})
    assert str(failure.value).splitlines() == shown.code.splitlines()


def test_the_page_names_everything_that_the_kit_offers() -> None:
    """Nothing of the kit has to be looked up in its source."""
    page = text(PAGE)
    assert len(programs("python")) >= 5
    unnamed = [name for name in processors.testing.__all__ if not re.search(rf"\b{name}\b", page)]
    assert unnamed == []
