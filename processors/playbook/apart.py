"""Tries a playbook in a process of its own, with a limit to its time and its memory: whatever a file holds, whoever
asks for it goes on.

``python -m processors.playbook.apart`` reads the file's content from standard input and prints its faults as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from processors.journey.playbook import Playbook
from processors.letters.errors import TemplateFault
from processors.playbook.faults import Fault, PlaybookRefused, refused
from processors.playbook.loading import PACKAGED, playbook_from, read_content
from streams.errors import SettingsError

_NO_MEMORY = 3
_MODULE = "processors.playbook.apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the trial of a playbook may take."""

    computing: timedelta = timedelta(seconds=30)
    """Time of a processor. A playbook of nearly a mebibyte, all of it letters, was measured to take six seconds."""
    patience: timedelta = timedelta(seconds=120)
    """Time on the wall, on a machine that is busy with other things."""
    memory: int = 1 << 30
    """Bytes of address space."""

    def __str__(self) -> str:
        """``30 s of computing and 1024 MiB of memory``."""
        return f"{self.computing.total_seconds():.0f} s of computing and {self.memory >> 20} MiB of memory"


ALLOWANCE = Allowance()


async def try_apart(content: bytes, *, where: str, allowance: Allowance = ALLOWANCE, module: str = _MODULE) -> None:
    """Have the content checked, and its letters compiled, in a process of its own, which ends with this call.

    Raises PlaybookRefused, also for what needs more than its allowance, and SettingsError if it could not be tried.
    """
    numbers = (int(allowance.computing.total_seconds()) or 1, allowance.memory)
    argv = [sys.executable, "-m", module, where, *map(str, numbers)]
    # It needs none of our settings, and so none of our secrets.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CARELINE_")}
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environ)
    except OSError as error:
        raise SettingsError(f"{where}: cannot be tried in a process of its own: {error.strerror}") from error
    try:
        async with asyncio.timeout(allowance.patience.total_seconds()):
            told, said = await process.communicate(content)
    except TimeoutError:
        refused(where, 1, f"is not checked after {allowance.patience.total_seconds():.0f} s")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode == _NO_MEMORY or (process.returncode or 0) < 0:  # or ended by a signal
        refused(where, 1, f"cannot be checked with {allowance}")
    if process.returncode:
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        refused(where, 1, f"cannot be checked: {last}")
    if faults := [Fault(**fault) for fault in json.loads(told)]:
        raise PlaybookRefused(where, faults)


def load_apart(path: Path | None) -> Playbook:
    """As load_playbook, for a file that nobody has tried yet: it is tried apart first. Not on an event loop."""
    try:
        return read_apart(PACKAGED if path is None else path)
    except OSError as error:
        raise SettingsError(f"CARELINE_PLAYBOOK: cannot read {path}: {error.strerror}") from error


def read_apart(path: Path) -> Playbook:
    """As read_playbook, for a file that nobody has tried yet. Not on an event loop."""
    content = read_content(path)
    if path != PACKAGED:
        asyncio.run(try_apart(content, where=str(path)))
    return playbook_from(content, where=str(path))


def main(where: str, computing: str, memory: str) -> None:
    """Within these limits: the faults of what standard input holds, to standard output."""
    from processors.letters.templates import Templates  # takes long to load, and is used only here

    limit(resource.RLIMIT_CPU, int(computing))
    limit(resource.RLIMIT_AS, int(memory))
    limit(resource.RLIMIT_CORE, 0)
    faults: list[Fault] = []
    try:
        Templates.of(playbook_from(sys.stdin.buffer.read(), where=where))
    except PlaybookRefused as error:
        faults = list(error.faults)
    except TemplateFault as error:
        faults = [Fault(1, "texts", str(error))]
    except MemoryError:
        sys.exit(_NO_MEMORY)
    json.dump([fault.plain() for fault in faults], sys.stdout)


def limit(kind: int, most: int) -> None:
    """Set a limit of this process for good, so far as the system knows it and allows no less already."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main(*sys.argv[1:])
