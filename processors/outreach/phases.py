"""One outreach as a state machine: its phases, the moves allowed in each, and the phase that follows. Pure.

``TRANSITIONS`` is the whole table. :mod:`processors.outreach.ledger` decides on a move and makes it with :func:`moved`,
which raises for a move that the table does not allow. The table guarantees, and its tests check: a letter that may have
been sent is never recorded as not sent, and the provider is never called again for a retracted one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from streams.events import LedgerPhase, LedgerStatus, OutreachLedgerEntry, replace


class Move(StrEnum):
    """What happens to an outreach. The last five end it, each with the status of the same name."""

    CALL = "CALL"
    """The provider is called; again, if a crash interrupted a call on an idempotent channel."""
    POSTPONE = "POSTPONE"
    """Not sent; to be tried later, because the provider is busy or it is night."""
    POSTPONE_IN_DOUBT = "POSTPONE_IN_DOUBT"
    """To be tried later, but this call or an earlier one may have reached the customer."""
    TAKE_BACK = "TAKE_BACK"
    """A retraction arrives while the provider is being called."""
    SENT = "SENT"
    FAILED = "FAILED"
    UNCERTAIN = "UNCERTAIN"
    RETRACTED = "RETRACTED"
    EXPIRED = "EXPIRED"


_WITH_THE_PROVIDER = {
    Move.CALL: LedgerPhase.CALLING,
    Move.POSTPONE: LedgerPhase.WAITING,
    Move.POSTPONE_IN_DOUBT: LedgerPhase.MAYBE_LEFT,
    Move.TAKE_BACK: LedgerPhase.TAKEN_BACK,
    Move.SENT: LedgerPhase.ENDED,
    Move.FAILED: LedgerPhase.ENDED,
    Move.UNCERTAIN: LedgerPhase.ENDED,
    Move.RETRACTED: LedgerPhase.ENDED,
    Move.EXPIRED: LedgerPhase.ENDED,
}
_CERTAINLY_NOT_LEFT = {
    Move.CALL: LedgerPhase.CALLING,
    Move.POSTPONE: LedgerPhase.WAITING,
    Move.FAILED: LedgerPhase.ENDED,  # the ledger no longer holds the request
    Move.RETRACTED: LedgerPhase.ENDED,
    Move.EXPIRED: LedgerPhase.ENDED,
}

TRANSITIONS: Mapping[LedgerPhase, Mapping[Move, LedgerPhase]] = {
    LedgerPhase.ITS_TURN: _CERTAINLY_NOT_LEFT,
    LedgerPhase.WAITING: _CERTAINLY_NOT_LEFT,
    LedgerPhase.MAYBE_LEFT: {
        Move.CALL: LedgerPhase.CALLING,
        Move.POSTPONE_IN_DOUBT: LedgerPhase.MAYBE_LEFT,
        Move.FAILED: LedgerPhase.ENDED,  # the ledger no longer holds the request
        Move.UNCERTAIN: LedgerPhase.ENDED,  # expired or retracted: nobody knows whether the customer has it
    },
    LedgerPhase.CALLING: _WITH_THE_PROVIDER,
    LedgerPhase.OTHER: _WITH_THE_PROVIDER,
    LedgerPhase.TAKEN_BACK: {
        Move.TAKE_BACK: LedgerPhase.TAKEN_BACK,
        Move.SENT: LedgerPhase.ENDED,
        Move.FAILED: LedgerPhase.ENDED,
        Move.UNCERTAIN: LedgerPhase.ENDED,
        Move.RETRACTED: LedgerPhase.ENDED,
    },
    LedgerPhase.ENDED: {},
}
"""The moves allowed in each phase, and the phase after each move. A request starts in ITS_TURN."""

WAITS = frozenset({LedgerPhase.ITS_TURN, LedgerPhase.WAITING, LedgerPhase.MAYBE_LEFT})
"""Phases in which no call is under way: the deadline says when to call, and a crash changes nothing."""

STATUS: Mapping[Move, LedgerStatus] = {
    Move.SENT: LedgerStatus.SENT,
    Move.FAILED: LedgerStatus.FAILED,
    Move.UNCERTAIN: LedgerStatus.UNCERTAIN,
    Move.RETRACTED: LedgerStatus.RETRACTED,
    Move.EXPIRED: LedgerStatus.EXPIRED,
}
"""The final status for each move that ends an outreach."""

_MARKS: Mapping[LedgerPhase, str] = {
    LedgerPhase.ITS_TURN: "waiting: ",
    LedgerPhase.WAITING: "waiting: ",
    LedgerPhase.MAYBE_LEFT: "waiting, though it may have left: ",
    LedgerPhase.TAKEN_BACK: "taken back: ",
}
"""Prefixes of ``detail``, for people and for earlier versions of Careline, which know no phase."""


class ImpossibleMoveError(RuntimeError):
    """A move that is not allowed in that phase: always a bug in the dispatcher, never the fault of an input."""


def moved(entry: OutreachLedgerEntry, move: Move, *, said: str | None = None, **changes: Any) -> OutreachLedgerEntry:
    """The entry after the move, with ``changes`` applied. ``said``: the cause, kept in ``detail``.

    A move that ends the outreach clears the request and the deadline. Raises ImpossibleMoveError for a move that the
    table does not allow.
    """
    phase = TRANSITIONS[entry.phase].get(move)
    if phase is None:
        raise ImpossibleMoveError(f"{move} in phase {entry.phase} of outreach {entry.outreach_id}")
    if phase is LedgerPhase.ENDED:
        changes |= {"status": STATUS[move], "wake_at": None, "request": None}
    return replace(entry, phase=phase, detail=None if said is None else detail_of(phase, said), **changes)


def detail_of(phase: LedgerPhase, said: str) -> str:
    """The ``detail`` of an entry in that phase."""
    return _MARKS.get(phase, "") + said


def taken_back_for(entry: OutreachLedgerEntry) -> str:
    """The reason of the retraction, from an entry in phase TAKEN_BACK."""
    return (entry.detail or "").removeprefix(_MARKS[LedgerPhase.TAKEN_BACK])
