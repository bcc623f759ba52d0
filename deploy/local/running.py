"""Runs a stack for as long as a program needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.local.interrupts import endings_raised
from deploy.local.monitoring import MONITORING
from deploy.local.parts import PARTS, Part
from deploy.local.progress import Report
from deploy.local.stack import Stack


def stack_environment(home: Path | str | None = None, *, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The CARELINE_ settings of the stack in `home`: four addresses, and the mail directory if it is our own sink.

    Servers named in the environment take precedence. Raises StackError if there are neither.
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
    monitoring: bool = False,
    watchers: Sequence[Part] = MONITORING,
) -> Iterator[Stack]:
    """A stack for the duration of the block, stopped however that ends: return, exception, Ctrl-C, SIGTERM, SIGHUP.

    `keep` leaves it running; `purge` also deletes its data; `monitoring` and `watchers` as in Stack. Raises
    whatever Stack.up raises.
    """
    stack = Stack(home, environ=environ, report=report, parts=parts, monitoring=monitoring, watchers=watchers)
    with endings_raised():
        try:
            stack.up()
            yield stack
        finally:
            if not keep:
                stack.down(purge=purge)
