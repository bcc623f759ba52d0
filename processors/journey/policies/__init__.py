"""The policies, each one file and one idea. The order of POLICIES is the priority, unless the playbook has its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from processors.journey.policies.agent_gestures import GesturesOfAgents
from processors.journey.policies.caring_hands import CaringHands
from processors.journey.policies.delay_care import DelayCare
from processors.journey.policies.mention_reply import MentionReply
from processors.journey.policies.out_of_stock_save import OutOfStockSave
from processors.journey.policies.policy import Policy, Wanted
from processors.journey.policies.promise_watch import PromiseWatch
from processors.journey.policies.recovery import Recovery
from processors.journey.policies.response_watch import ResponseWatch

POLICIES: tuple[Policy, ...] = (
    DelayCare(),
    ResponseWatch(),
    Recovery(),
    MentionReply(),
    OutOfStockSave(),
    CaringHands(),
    GesturesOfAgents(),
    PromiseWatch(),
)


@cache
def in_order(priority: tuple[str, ...]) -> tuple[Policy, ...]:
    """The policies that come with Careline, those first that the playbook names."""
    return sort_by_priority(POLICIES, priority)


def sort_by_priority(policies: Iterable[Policy], priority: tuple[str, ...]) -> tuple[Policy, ...]:
    """The policies, those named in ``priority`` first and in its order, the others after them in their own."""
    named = {name: at for at, name in enumerate(priority)}
    return tuple(sorted(policies, key=lambda policy: named.get(policy.name, len(named))))


__all__ = ["POLICIES", "Policy", "Wanted", "in_order", "sort_by_priority"]
