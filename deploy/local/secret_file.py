"""A secret in a file, made where there is none: `python -m deploy.local.secret_file FILE VARIABLE`.

An operator's own, in the variable, is written there instead; it stays when the variable is taken away. What it replaces
is kept in `FILE-before`, so that what was signed with it (a link in a letter) can be read on.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_BYTES = 32


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """See that the file holds a secret, readable by its owner only. Returns 0, or 2 for other than two arguments."""
    if len(arguments) != 2:
        print("two arguments are wanted: the file, and the variable that may hold the secret", file=sys.stderr)
        return 2
    where, variable = Path(arguments[0]), arguments[1]
    before = where.with_name(f"{where.name}-before")
    known = _read(where)
    wanted = environ.get(variable, "").strip() or known or secrets.token_urlsafe(_BYTES)
    if wanted != known or not before.exists():
        _write(before, known if wanted != known else "")
        _write(where, wanted)
    return 0


def _read(where: Path) -> str:
    return where.read_text(encoding="utf-8").strip() if where.exists() else ""


def _write(where: Path, secret: str) -> None:
    """Whole or not at all: a role that starts meanwhile reads the one before or this one."""
    where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = where.with_name(f".{where.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secret, encoding="utf-8")
    fresh.replace(where)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
