"""Creates a secret in a file if there is none: `python -m deploy.local.secret_file FILE VARIABLE`.

If the variable contains the operator's own secret, that one is written; it stays when the variable is removed. The
former secret is kept in `FILE-before`, so that whatever it signed (links in letters) remains valid.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_BYTES = 32


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Make sure that the file contains a secret, readable by its owner only. Returns 2 for wrong arguments, else 0."""
    if len(arguments) != 2:
        print("two arguments are required: the file, and the variable that may contain the secret", file=sys.stderr)
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
    """Write atomically: a role that starts meanwhile reads the former secret or the new one."""
    where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = where.with_name(f".{where.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secret, encoding="utf-8")
    fresh.replace(where)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
