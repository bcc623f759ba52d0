"""Files and directories that only their user can read, because a stack stores letters and logs about customers."""

from __future__ import annotations

import os
from pathlib import Path

UMASK = 0o077
"""The umask of every server and role of a stack: files are 0600, directories 0700."""


def private_directory(path: Path) -> Path:
    """Create the directory and its missing parents with mode 0700; an existing one is not changed."""
    for missing in [*(above for above in reversed(path.parents) if not above.exists()), path]:
        missing.mkdir(mode=0o700, exist_ok=True)
    return path


def closed(path: Path) -> Path:
    """Make a directory of ours private, however it was created."""
    private_directory(path).chmod(0o700)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600, also if it existed with another."""
    with open(path, "w", encoding="utf-8", opener=opener) as file:
        file.write(text)


def opener(path: str, flags: int) -> int:
    """An opener for ``open``: the file gets mode 0600, new or not."""
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor
