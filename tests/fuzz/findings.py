"""The findings of a drive, and how to reproduce them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

Headers = Sequence[tuple[str, bytes | None]]
HOME = Path(".careline/fuzz")


@dataclass(slots=True)
class Finding:
    """One fault. ``record``: a file with the record in hex, or with the latest records if it is not known which one
    caused it."""

    kind: str
    what: str
    batch: int | None = None
    shot: int | None = None
    label: str = ""
    record: str = ""


@dataclass(slots=True, kw_only=True)
class Summary:
    """The results of a whole drive, for ``.careline/fuzz/summary.json``."""

    seed: int
    minutes: float
    seconds: float = 0.0
    schemas_taken: int = 0
    schemas_refused: list[str] = field(default_factory=list)
    ordinary: int = 0
    odd: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    refused_by_broker: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    dead_letter_details: dict[str, str] = field(default_factory=dict)
    """One example for each reason."""
    policies_failed: Counter[str] = field(default_factory=Counter)
    customers: int = 0
    letters: int = 0
    odd_customers_shown: int = 0
    longest_hold_seconds: float = 0.0
    longest_hold_at: str = ""
    longest_cpu_ms: dict[str, float] = field(default_factory=dict)
    """The most processor time that one record took in the journeys role, by part of the work on it."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def write(self, home: Path) -> Path:
        """Write it atomically."""
        home.mkdir(parents=True, exist_ok=True)
        path, fresh = home / "summary.json", home / "summary.json.new"
        figures = {one.name: getattr(self, one.name) for one in fields(self)}
        figures["findings"] = [asdict(finding) for finding in self.findings]
        fresh.write_text(json.dumps(figures, indent=2, default=str) + "\n")
        fresh.replace(path)
        return path


def as_kept(
    topic: str, partition: int, offset: int, timestamp: int, key: bytes | None, headers: Headers, value: bytes | None
) -> dict[str, Any]:
    """A record in the form for a file: key, headers and value in hex."""
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp,
        "key": None if key is None else key.hex(),
        "headers": [(held, None if said is None else said.hex()) for held, said in headers],
        "value": None if value is None else value.hex(),
    }


def kept(home: Path, name: str, records: Iterable[dict[str, Any]]) -> str:
    """Write the records, one per line, so that they can be published again; returns the file's name."""
    path = home / "findings" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)
