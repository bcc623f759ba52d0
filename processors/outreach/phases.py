"""One outreach as a state machine: which phase it is in, what may happen to it there, and which phase follows. Pure.

``TRANSITIONS`` is all of it. :mod:`processors.outreach.ledger` decides what happens; whatever it decides goes through
:func:`moved`, which looks it up here and raises for what may not happen. What the table promises, and its tests hold: a
letter that may have left is never told as one that did not, and one that was taken back is never called again.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from streams.events import LedgerPhase, LedgerStatus, OutreachLedgerEntry, replace


class Move(StrEnum):
    """What happens to an outreach. The last five end it, each with the status of that name."""

    CALL = "CALL"
    """The provider is called; once more, where a crash cut a call off and sending twice is sending once."""
    POSTPONE = "POSTPONE"
    """It did not leave, and is called later: the provider is busy, or it is night."""
    POSTPONE_IN_DOUBT = "POSTPONE_IN_DOUBT"
    """The same, where an earlier call may have reached the customer, or this one."""
    TAKE_BACK = "TAKE_BACK"
    """A retraction comes while the provider is being called."""
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
    Move.FAILED: LedgerPhase.ENDED,  # the request is not there any more
    Move.RETRACTED: LedgerPhase.ENDED,
    Move.EXPIRED: LedgerPhase.ENDED,
}

TRANSITIONS: Mapping[LedgerPhase, Mapping[Move, LedgerPhase]] = {
    LedgerPhase.ITS_TURN: _CERTAINLY_NOT_LEFT,
    LedgerPhase.WAITING: _CERTAINLY_NOT_LEFT,
    LedgerPhase.MAYBE_LEFT: {
        Move.CALL: LedgerPhase.CALLING,
        Move.POSTPONE_IN_DOUBT: LedgerPhase.MAYBE_LEFT,
        Move.FAILED: LedgerPhase.ENDED,  # the request is not there any more
        Move.UNCERTAIN: LedgerPhase.ENDED,  # too late, or taken back: nobody knows whether they have it
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
"""By phase, what may happen in it, and the phase after that. A request begins in ITS_TURN."""

WAITS = frozenset({LedgerPhase.ITS_TURN, LedgerPhase.WAITING, LedgerPhase.MAYBE_LEFT})
"""Nothing is with the provider: the deadline says when it is called, and a crash changes nothing."""

STATUS: Mapping[Move, LedgerStatus] = {
    Move.SENT: LedgerStatus.SENT,
    Move.FAILED: LedgerStatus.FAILED,
    Move.UNCERTAIN: LedgerStatus.UNCERTAIN,
    Move.RETRACTED: LedgerStatus.RETRACTED,
    Move.EXPIRED: LedgerStatus.EXPIRED,
}
"""Of a move that ends it."""

_MARKS: Mapping[LedgerPhase, str] = {
    LedgerPhase.ITS_TURN: "waiting: ",
    LedgerPhase.WAITING: "waiting: ",
    LedgerPhase.MAYBE_LEFT: "waiting, though it may have left: ",
    LedgerPhase.TAKEN_BACK: "taken back: ",
}
"""How ``detail`` begins, for people, and for versions of ours that know no phase."""


class ImpossibleMoveError(RuntimeError):
    """What happened may not happen to an outreach in that phase: a fault of the dispatcher's, never of an input's."""


def moved(entry: OutreachLedgerEntry, move: Move, *, said: str | None = None, **changes: Any) -> OutreachLedgerEntry:
    """The entry after the move, with these changes. ``said``: what led to it, kept in ``detail``.

    An end drops the request and the deadline. Raises ImpossibleMoveError for a move that the table does not have.
    """
    phase = TRANSITIONS[entry.phase].get(move)
    if phase is None:
        raise ImpossibleMoveError(f"{move} in phase {entry.phase} of outreach {entry.outreach_id}")
    if phase is LedgerPhase.ENDED:
        changes |= {"status": STATUS[move], "wake_at": None, "request": None}
    return replace(entry, phase=phase, detail=None if said is None else detail_of(phase, said), **changes)


def detail_of(phase: LedgerPhase, said: str) -> str:
    """What the ledger shows of an outreach in that phase."""
    return _MARKS.get(phase, "") + said


def taken_back_for(entry: OutreachLedgerEntry) -> str:
    """Why it was taken back, of an entry in phase TAKEN_BACK."""
    return (entry.detail or "").removeprefix(_MARKS[LedgerPhase.TAKEN_BACK])
