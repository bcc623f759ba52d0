"""Every program in docs/testing.md runs, and a failure looks as the page shows it."""

from __future__ import annotations

import re
from types import ModuleType
from typing import NamedTuple

import pytest

import processors.testing
from tests.test_docs import CODE, text

PAGE = "docs/testing.md"
FAILS = "When a test fails"
"""The section whose program is meant to fail."""


class Program(NamedTuple):
    """A program on the page, and its section."""

    section: str
    code: str


def programs(language: str, *, fail: bool = False) -> list[Program]:
    """Return the page's blocks in that language: those of the section about failures, or all others."""
    found = []
    for section in text(PAGE).split("\n## "):
        title = section.partition("\n")[0].removeprefix("# ")
        if fail is (title == FAILS):
            found += [Program(title, one["code"]) for one in CODE.finditer(section) if one["language"] == language]
    return found


@pytest.mark.parametrize("program", programs("python"), ids=lambda program: program.section)
def test_the_programs_of_the_page_pass(program: Program) -> None:
    """Each program is a complete test module, whose tests pass."""
    module = ModuleType("page")
    exec(compile(program.code, f"{PAGE}: {program.section}", "exec"), vars(module))
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_a_failure_looks_as_the_page_shows_it() -> None:
    """The failure is word for word as on the page."""
    [program], [shown] = programs("python", fail=True), programs("text", fail=True)
    with pytest.raises(AssertionError) as failure:
        exec(compile(program.code, PAGE, "exec"), {})
    assert str(failure.value).splitlines() == shown.code.splitlines()


def test_the_page_names_everything_that_the_kit_offers() -> None:
    """The page names every public name of the kit."""
    page = text(PAGE)
    assert len(programs("python")) >= 5
    unnamed = [name for name in processors.testing.__all__ if not re.search(rf"\b{name}\b", page)]
    assert unnamed == []
