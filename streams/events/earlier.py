"""Derives new fields of records that were written by an earlier schema version.

Usually a new field has its default. If the record already says the same in other fields, the value is derived from
those once, when the record is read (:mod:`streams.avro.reading`); no other code asks for the version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from streams.events.outreach import OutreachLedgerEntry
from streams.events.types import LedgerPhase, LedgerStatus


class Derived(NamedTuple):
    """A value that is derived from other fields of the same record. ``by`` accepts any values of those fields, in that
    order."""

    of: tuple[str, ...]
    by: Callable[..., Any]


_ITS_TURN = "waiting: its turn"
_MARKS = (
    ("waiting: ", LedgerPhase.WAITING),
    ("waiting, though it may have left: ", LedgerPhase.MAYBE_LEFT),
    ("taken back: ", LedgerPhase.TAKEN_BACK),
)
"""How ``detail`` began in versions 1 to 3, which had no ``phase``."""


def phase_of(status: LedgerStatus, detail: str | None) -> LedgerPhase:
    """Return the phase of a ledger entry of version 1 to 3. An intent without a mark was with the provider."""
    if status is not LedgerStatus.INTENT:
        return LedgerPhase.ENDED
    if detail == _ITS_TURN:
        return LedgerPhase.ITS_TURN
    for mark, phase in _MARKS:
        if detail is not None and detail.startswith(mark):
            return phase
    return LedgerPhase.CALLING


DERIVED: Mapping[tuple[type[Any], str], Derived] = {
    (OutreachLedgerEntry, "phase"): Derived(("status", "detail"), phase_of),
}
"""By record and field."""
