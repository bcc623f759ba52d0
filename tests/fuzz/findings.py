"""What a drive found, and how to do it again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiokafka import ConsumerRecord

HOME = Path(".careline/fuzz")


@dataclass(slots=True)
class Finding:
    """One thing that is not as it has to be. ``record``: a file with the record's bytes in hex, if it is known."""

    kind: str
    what: str
    batch: int | None = None
    shot: int | None = None
    label: str = ""
    record: str = ""


@dataclass(slots=True, kw_only=True)
class Summary:
    """A whole drive, as ``.careline/fuzz/summary.json`` has it."""

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
    """Of each reason one example."""
    policies_failed: Counter[str] = field(default_factory=Counter)
    customers: int = 0
    letters: int = 0
    odd_customers_shown: int = 0
    longest_hold_seconds: float = 0.0
    longest_hold_at: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def write(self, home: Path) -> Path:
        """Write it whole or not at all."""
        home.mkdir(parents=True, exist_ok=True)
        path, fresh = home / "summary.json", home / "summary.json.new"
        fresh.write_text(json.dumps(asdict(self), indent=2, default=str) + "\n")
        fresh.replace(path)
        return path


def kept(home: Path, name: str, record: ConsumerRecord) -> str:
    """Write the record's key, headers and value in hex, so that it can be published again; the file's name."""
    path = home / "findings" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": None if record.key is None else record.key.hex(),
        "headers": [(held, None if value is None else value.hex()) for held, value in record.headers],
        "value": None if record.value is None else record.value.hex(),
    }
    path.write_text(json.dumps(said) + "\n")
    return str(path)
