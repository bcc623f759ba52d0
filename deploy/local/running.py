"""A stack for as long as a program needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.local.interrupts import endings_raised
from deploy.local.parts import PARTS, Part
from deploy.local.progress import Report
from deploy.local.stack import Stack


def stack_environment(home: Path | str | None = None, *, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The CARELINE_ settings of the stack in `home`: four addresses, and where mail is kept if it is our own sink.

    Servers given in the environment come first. Raises StackError if there is neither.
    """
    return Stack(home, environ=environ).environment()


@contextlib.contextmanager
def running_stack(
    home: Path | str | None = None,
    *,
    keep: bool = False,
    purge: bool = False,
    environ: Mapping[str, str] | None = None,
    report: Report | None = None,
    parts: Sequence[Part] = PARTS,
) -> Iterator[Stack]:
    """A stack for as long as the block runs, taken down however it ends: return, exception, Ctrl-C, SIGTERM, SIGHUP.

    `keep` leaves it running after all; `purge` deletes its data as well. Raises what Stack.up raises.
    """
    stack = Stack(home, environ=environ, report=report, parts=parts)
    with endings_raised():
        try:
            stack.up()
            yield stack
        finally:
            if not keep:
                stack.down(purge=purge)
