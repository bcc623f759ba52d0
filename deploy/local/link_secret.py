"""The secret that signs the links in letters, made where there is none: `python -m deploy.local.link_secret FILE`.

An operator's own, in `CARELINE_LINK_SECRET`, is written there instead; it stays when the variable is taken away. What
it replaces is kept in `FILE-before`, so that links in letters already sent are read on.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_BYTES = 32
_VARIABLE = "CARELINE_LINK_SECRET"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """See that the file holds a secret, readable by its owner only. Returns 0, or 2 where no file is named."""
    if len(arguments) != 1:
        print("one argument is wanted: the file", file=sys.stderr)
        return 2
    where = Path(arguments[0])
    before = where.with_name(f"{where.name}-before")
    known = _read(where)
    wanted = environ.get(_VARIABLE, "").strip() or known or secrets.token_urlsafe(_BYTES)
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
