"""Files and directories that nobody but their user can read: a stack keeps letters, and logs of what customers did."""

from __future__ import annotations

import os
from pathlib import Path

UMASK = 0o077
"""What every server and role of a stack is started with: its files are 0600, its directories 0700."""


def private_directory(path: Path) -> Path:
    """Make the directory and what is missing above it, 0700; one that is there already is left to who made it."""
    for missing in [*(above for above in reversed(path.parents) if not above.exists()), path]:
        missing.mkdir(mode=0o700, exist_ok=True)
    return path


def closed(path: Path) -> Path:
    """Close a directory that is ours, however it was made."""
    private_directory(path).chmod(0o700)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file 0600, also over one that was open."""
    with open(path, "w", encoding="utf-8", opener=opener) as file:
        file.write(text)


def opener(path: str, flags: int) -> int:
    """For ``open``: the file is 0600, new or not."""
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor
