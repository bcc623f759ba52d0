"""Validates a playbook in a separate process with limits on time and memory, so that no file can stop its caller.

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
    """The limits for validating a playbook."""

    computing: timedelta = timedelta(seconds=30)
    """CPU time. A playbook of nearly a mebibyte, all of it letters, was measured to take six seconds."""
    patience: timedelta = timedelta(seconds=120)
    """Wall-clock time, on a machine that is busy with other work."""
    memory: int = 1 << 30
    """Bytes of address space."""

    def __str__(self) -> str:
        """``30 s of computing and 1024 MiB of memory``."""
        return f"{self.computing.total_seconds():.0f} s of computing and {self.memory >> 20} MiB of memory"


ALLOWANCE = Allowance()


async def try_apart(content: bytes, *, where: str, allowance: Allowance = ALLOWANCE, module: str = _MODULE) -> None:
    """Validate the content and compile its letters in a separate process, which ends with this call.

    Raises PlaybookRefused, also if it exceeds its allowance, and SettingsError if the process cannot be started.
    """
    numbers = (int(allowance.computing.total_seconds()) or 1, allowance.memory)
    argv = [sys.executable, "-m", module, where, *map(str, numbers)]
    # It needs none of our settings, so it gets none of our secrets.
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
    """Like load_playbook, but for an untrusted file, which is validated apart first. Must not be called on an event
    loop."""
    try:
        return read_apart(PACKAGED if path is None else path)
    except OSError as error:
        raise SettingsError(f"CARELINE_PLAYBOOK: cannot read {path}: {error.strerror}") from error


def read_apart(path: Path) -> Playbook:
    """Like read_playbook, but for an untrusted file. Must not be called on an event loop."""
    content = read_content(path)
    if path != PACKAGED:
        asyncio.run(try_apart(content, where=str(path)))
    return playbook_from(content, where=str(path))


def main(where: str, computing: str, memory: str) -> None:
    """Validate the content on standard input within these limits, and write its faults to standard output."""
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
    """Set a limit of this process permanently, unless the system does not support it or a lower one is in force."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main(*sys.argv[1:])
