"""Tracks which letters reached the customer: a letter that failed counts as unknown to them, and may be sent again."""

from __future__ import annotations

from collections.abc import Iterable

from processors.journey.guard.reach import allowed
from processors.journey.naming import failure_of, kind_of
from processors.journey.playbook import Playbook
from processors.journey.wait_rules import DelayRules
from processors.journey.waits import CANCELLED
from streams.addresses import canonical
from streams.events import Delay, JourneyState, Outreach, OutreachChannel, replace

_ADDRESS_FAILURES = frozenset({"rejected", "bounced", "unreachable"})
"""Failures of the address, which another address may avoid."""


def did_not_arrive(note: Outreach) -> bool:
    """Return whether the outreach is known to have failed."""
    return failure_of(note) is not None


def may_be_told_again(note: Outreach, notes: Iterable[Outreach], state: JourneyState, playbook: Playbook) -> bool:
    """Return whether the outreach failed because of its address and there is an allowed one that none of ``notes``
    failed at."""
    if note.channel is OutreachChannel.AGENT_TASK or not did_not_arrive(note):
        return False
    if failure_of(note) not in _ADDRESS_FAILURES:
        return False
    tried = {(one.channel, canonical(one.channel, one.address)) for one in notes if did_not_arrive(one)}
    return any(
        (address.channel, canonical(address.channel, address.address)) not in tried
        for address in allowed(state, note.purpose, playbook)
    )


def as_told(delay: Delay, notes: Iterable[Outreach], rules: DelayRules) -> Delay:
    """Return the wait with what the customer knows of it, counting only the letters in ``notes`` that arrived."""
    notes = tuple(notes)
    arrived = [note for note in notes if not did_not_arrive(note)]
    if len(arrived) == len(notes):
        return delay
    if not arrived:
        return replace(delay, letters=0, told_expected_at=None, told_cancelled=False, told_stage=-1, told_at=None)
    stage = max(rules.stage_of(note.gesture_code) if note.gesture_code else -1 for note in arrived)
    if arrived[-1] is notes[-1]:
        return replace(delay, told_stage=min(delay.told_stage, stage)) if stage >= 0 else delay
    cancelled = kind_of(arrived[-1].occasion) == CANCELLED
    told_at = arrived[-1].requested_at
    stage = min(delay.told_stage, stage)
    return replace(delay, told_expected_at=None, told_cancelled=cancelled, told_stage=stage, told_at=told_at)
