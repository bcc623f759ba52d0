"""Writes the table of installed policies into a document.

``python -m processors.policies.table docs/care.md`` writes it between the lines that begin with ``<!-- policies`` and
``<!-- end of policies``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from processors.policies.registry import installed

_BETWEEN = re.compile(r"(<!-- policies[^\n]*\n).*?(<!-- end of policies)", re.DOTALL)


def table() -> str:
    """Return the table: a row for each policy, in order, with when it acts, what it does, and why we serve."""
    lines = ["| policy | when | what | why we serve |", "| --- | --- | --- | --- |"]
    lines += [f"| `{one.name}` | {one.when} | {one.what} | {one.policy.why['en']} |" for one in installed()]
    return "".join(f"{line}\n" for line in lines)


def with_table(text: str) -> str:
    """Return the document with the current table. Raises ValueError if it has no place for it."""
    if not _BETWEEN.search(text):
        raise ValueError("there is no place for the table of policies")
    return _BETWEEN.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)


def main(page: str) -> None:
    """Write the table into the document at that path."""
    file = Path(page)
    file.write_text(with_table(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
