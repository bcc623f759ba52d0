"""The hash that a change of the code is held to sees what it should."""

from __future__ import annotations

from datetime import UTC, datetime

from streams.config import TimeSource
from streams.events import LedgerPhase, LedgerStatus, OutreachLedgerEntry, replace
from tests.benchmarks.same import Heard, Play
from tests.benchmarks.stream import mixed

NOW = datetime(2026, 2, 9, tzinfo=UTC)
ENTRY = OutreachLedgerEntry(outreach_id="o", customer_id="ana", status=LedgerStatus.INTENT, updated_at=NOW)


def hashed(*records: OutreachLedgerEntry) -> str:
    """The hash over these."""
    heard = Heard()
    for record in records:
        heard.add(NOW, record)
    return heard.digest


def test_the_same_stream_gives_the_same_hash() -> None:
    """Two runs say the same, outputs and states, and letters come to every kind of end."""
    digests, ends = set(), set()
    for _ in range(2):
        heard = Heard()
        play = Play(heard, source=TimeSource.WALL)
        play.run(mixed(events=1_000, customers=80).arrivals)
        digests.add(heard.digest)
        ends |= {entry.status for entry in play.entries.values()}
    assert len(digests) == 1
    assert ends >= {LedgerStatus.SENT, LedgerStatus.FAILED, LedgerStatus.UNCERTAIN}


def test_one_word_makes_another_hash() -> None:
    """A difference in any field is seen, but for the fields that are named as new."""
    assert hashed(ENTRY) != hashed(replace(ENTRY, detail="waiting: 451"))
    assert hashed(ENTRY) == hashed(replace(ENTRY, phase=LedgerPhase.CALLING))
    assert hashed(ENTRY, ENTRY) != hashed(ENTRY)
