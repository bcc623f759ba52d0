"""What the customer was told, as far as it arrived: no letter speaks of one that did not, and it may be told again."""

from __future__ import annotations

from collections.abc import Iterable

from processors.journey.guard.reach import allowed
from processors.journey.naming import failure_of, kind_of
from processors.journey.playbook import Playbook
from processors.journey.wait_rules import DelayRules
from processors.journey.waits import CANCELLED
from streams.addresses import canonical
from streams.events import Delay, JourneyState, Outreach, OutreachChannel, replace

_THE_ADDRESS = frozenset({"rejected", "bounced", "unreachable"})
"""Failures that another address may mend."""


def did_not_arrive(note: Outreach) -> bool:
    """Whether it is known that the customer never saw it."""
    return failure_of(note) is not None


def may_be_told_again(note: Outreach, notes: Iterable[Outreach], state: JourneyState, playbook: Playbook) -> bool:
    """Whether it failed for its address, and there is one now that none of ``notes`` failed at."""
    if note.channel is OutreachChannel.AGENT_TASK or not did_not_arrive(note):
        return False
    if failure_of(note) not in _THE_ADDRESS:
        return False
    tried = {(one.channel, canonical(one.channel, one.address)) for one in notes if did_not_arrive(one)}
    return any(
        (address.channel, canonical(address.channel, address.address)) not in tried
        for address in allowed(state, note.purpose, playbook)
    )


def as_told(delay: Delay, notes: Iterable[Outreach], rules: DelayRules) -> Delay:
    """The wait with what the customer knows of it: of ``notes``, its letters, those that arrived."""
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
