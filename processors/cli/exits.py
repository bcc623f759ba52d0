"""How commands end when something is wrong: one line for the person at the terminal, one code for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from processors.terminal import say
from streams.errors import CarelineError, SettingsError, Unavailable

FAILED = 1
"""What was asked for did not pass, or a server refuses it."""

WRONG_SETTINGS = 2
"""The call or a setting is wrong, as for a misspelt option."""

UNAVAILABLE = 3
"""A server does not answer; trying again later may help."""


@contextmanager
def explained() -> Iterator[None]:
    """Turns what Careline raises into its message on standard error and an exit code."""
    try:
        yield
    except CarelineError as error:
        say(str(error), err=True)
        match error:
            case SettingsError():
                code = WRONG_SETTINGS
            case Unavailable():
                code = UNAVAILABLE
            case _:
                code = FAILED
        raise typer.Exit(code) from None
