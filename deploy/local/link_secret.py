"""The secret that signs the links in letters, made where there is none: `python -m deploy.local.link_secret FILE`.

An operator's own, in `CARELINE_LINK_SECRET`, is written there instead; it stays when the variable is taken away.
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
    own = environ.get(_VARIABLE, "").strip()
    if own or not _holds_one(where):
        _write(where, own or secrets.token_urlsafe(_BYTES))
    return 0


def _holds_one(where: Path) -> bool:
    return where.exists() and bool(where.read_text(encoding="utf-8").strip())


def _write(where: Path, secret: str) -> None:
    """Whole or not at all: a role that starts meanwhile reads the one before or this one."""
    where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = where.with_name(f".{where.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secret, encoding="utf-8")
    fresh.replace(where)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
