"""How commands end: one line for the person at the terminal, one code for scripts. Every command uses these codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from processors.terminal import say
from streams.errors import CarelineError, SettingsError, Unavailable


class Exit(IntEnum):
    """The exit codes and what each means, in the words of docs/operating.md."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Exit:
        """``code`` is what a script reads, ``meaning`` what a person does."""
        made = int.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made

    DONE = 0, "what was asked for is done"
    FAILED = 1, "a check did not pass, something was refused, or a person said no"
    WRONG = 2, "the call, a setting or a file is wrong; nothing was done"
    UNAVAILABLE = 3, "a server does not answer or is not running; trying again later may help"
    ABSENT = 4, "what was named does not exist, or this machine lacks a program"
    HUNG = 75, "a commit hung and its result is unknown: restart the worker, recovery finds out"


@contextmanager
def explained() -> Iterator[None]:
    """Turns what Careline raises into its message on standard error and an exit code."""
    try:
        yield
    except CarelineError as error:
        raise ended(error, _code_of(error)) from None


def ended(why: object, code: Exit) -> typer.Exit:
    """To be raised: the message is on standard error, and the command ends with the code."""
    say(str(why), err=True)
    return typer.Exit(code)


def _code_of(error: CarelineError) -> Exit:
    match error:
        case SettingsError():
            return Exit.WRONG
        case Unavailable():
            return Exit.UNAVAILABLE
        case _:
            return Exit.FAILED
