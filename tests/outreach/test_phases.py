"""The phases of an outreach: what may follow what, and what entries of earlier versions mean."""

from __future__ import annotations

import struct

import pytest

import schemas
from processors.outreach.phases import STATUS, TRANSITIONS, WAITS, ImpossibleMoveError, Move, moved
from streams.avro.codec import Codec
from streams.avro.specialised import encoder_of
from streams.events import LedgerPhase, LedgerStatus, OutreachLedgerEntry
from streams.registry.registry import InMemoryRegistry
from streams.topics import Topics
from tests.outreach.given import NOON, outreach_id, request

NAME = "careline.outreach.OutreachLedgerEntry"
TOPICS = Topics()
EARLIER = schemas.versions(NAME)[:3]


def entry(phase: LedgerPhase) -> OutreachLedgerEntry:
    """An intent in that phase."""
    return OutreachLedgerEntry(
        outreach_id=outreach_id(1),
        customer_id="ana",
        status=LedgerStatus.INTENT,
        updated_at=NOON,
        wake_at=NOON,
        request=request(),
        phase=phase,
    )


def reachable(phase: LedgerPhase) -> set[LedgerPhase]:
    """Every phase that may follow, sooner or later."""
    found: set[LedgerPhase] = set()
    ahead = [phase]
    while ahead:
        for after in TRANSITIONS[ahead.pop()].values():
            if after not in found:
                found.add(after)
                ahead.append(after)
    return found


def test_every_phase_has_its_row() -> None:
    """Whoever asks what may follow a phase finds it in the table; nothing follows an end."""
    assert set(TRANSITIONS) == set(LedgerPhase)
    assert TRANSITIONS[LedgerPhase.ENDED] == {}
    assert all(LedgerPhase.ENDED in reachable(phase) for phase in LedgerPhase if phase is not LedgerPhase.ENDED)


def test_what_was_taken_back_is_never_called_again() -> None:
    """Once a retraction met a call, no move leads to another one."""
    assert reachable(LedgerPhase.TAKEN_BACK) == {LedgerPhase.TAKEN_BACK, LedgerPhase.ENDED}


def test_what_may_have_left_is_never_told_as_one_that_did_not() -> None:
    """A letter in doubt is called again, or ends as uncertain; it is neither retracted nor expired."""
    assert not {Move.RETRACTED, Move.EXPIRED, Move.POSTPONE} & set(TRANSITIONS[LedgerPhase.MAYBE_LEFT])


def test_only_a_call_ends_as_sent() -> None:
    """Nothing is told as sent that was not with a provider."""
    with_the_provider = {LedgerPhase.CALLING, LedgerPhase.TAKEN_BACK, LedgerPhase.OTHER}
    assert {phase for phase, moves in TRANSITIONS.items() if Move.SENT in moves} == with_the_provider
    assert not WAITS & with_the_provider


@pytest.mark.parametrize("phase", list(LedgerPhase))
@pytest.mark.parametrize("move", list(Move))
def test_the_table_is_what_happens(phase: LedgerPhase, move: Move) -> None:
    """A move leads where the table says; one that it does not have raises, and says which and where."""
    after = TRANSITIONS[phase].get(move)
    if after is None:
        with pytest.raises(ImpossibleMoveError, match=f"{move} in phase {phase} of outreach {outreach_id(1)}"):
            moved(entry(phase), move)
        return
    made = moved(entry(phase), move, said="so")
    assert made.phase is after
    if after is LedgerPhase.ENDED:
        assert (made.status, made.wake_at, made.request, made.detail) == (STATUS[move], None, None, "so")
    else:
        assert (made.status, made.request) == (LedgerStatus.INTENT, request())


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    ("status", "detail", "phase"),
    [
        (LedgerStatus.INTENT, "waiting: its turn", LedgerPhase.ITS_TURN),
        (LedgerStatus.INTENT, "waiting: 451 try again", LedgerPhase.WAITING),
        (LedgerStatus.INTENT, "waiting: it is night where the customer is", LedgerPhase.WAITING),
        (LedgerStatus.INTENT, "waiting, though it may have left: no answer", LedgerPhase.MAYBE_LEFT),
        (LedgerStatus.INTENT, None, LedgerPhase.CALLING),
        (LedgerStatus.INTENT, "taken back: wait_over", LedgerPhase.TAKEN_BACK),
        (LedgerStatus.SENT, None, LedgerPhase.ENDED),
        (LedgerStatus.FAILED, "550 no such user", LedgerPhase.ENDED),
        (LedgerStatus.UNCERTAIN, "taken back: wait_over", LedgerPhase.ENDED),
        (LedgerStatus.RETRACTED, "wait_over", LedgerPhase.ENDED),
        (LedgerStatus.EXPIRED, "waiting: 451 try again", LedgerPhase.ENDED),
        (LedgerStatus.OTHER, None, LedgerPhase.ENDED),
    ],
)
async def test_an_entry_of_an_earlier_version_is_understood(
    version: int, status: LedgerStatus, detail: str | None, phase: LedgerPhase
) -> None:
    """After an upgrade the dispatcher goes on with every letter where it was, by the status and the words of old."""
    registry = InMemoryRegistry()
    for subject, name in TOPICS.subjects():
        for schema in schemas.versions(name):
            await registry.register(subject, schema)
    codec = Codec(registry=registry, topics=TOPICS)
    await codec.prepare(TOPICS.outreach_ledger)
    schema = EARLIER[version - 1]
    schema_id = await registry.id_of(TOPICS.subject(TOPICS.outreach_ledger, NAME), schema)
    old = OutreachLedgerEntry(
        outreach_id=outreach_id(1), customer_id="ana", status=status, updated_at=NOON, detail=detail, wake_at=NOON
    )
    read = await codec.decode(struct.pack(">bI", 0, schema_id) + encoder_of(schema)(old))
    assert isinstance(read, OutreachLedgerEntry)
    assert (read.phase, read.status, read.detail) == (phase, status, detail)
