"""Rules for every policy, and what else happens to Ana: she asks, she posts, she tells us how it was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from processors.journey.playbook import (
    AgentGestures,
    Budget,
    CaringRules,
    GestureOffer,
    MentionRules,
    Playbook,
    RecoveryRules,
    ResponseClock,
    ResponseRules,
    StockRules,
)
from processors.testing import (
    Scenario,
    answer,
    asks,
    cannot_have,
    closes,
    done,
    engages,
    feedback,
    given_by_agent,
    posts,
    sent,
)
from streams.events import ExperimentExposed, Purpose
from tests.journey.given import tuned

COUPON = GestureOffer(
    code="ten-percent",
    title={"en": "ten percent off", "de": "zehn Prozent"},
    cost=Decimal("5.00"),
    currency="USD",
    link="https://care.example/coupon",
)

RESPONSE = ResponseRules(
    clocks={
        "CALL": ResponseClock(holding_after=timedelta(minutes=5), escalate_after=timedelta(minutes=15)),
        "default": ResponseClock(holding_after=timedelta(hours=1), escalate_after=timedelta(hours=4)),
    },
    holding_useful=timedelta(hours=4),
    escalate_to="care-leads",
    escalated_due=timedelta(hours=1),
    came_back_within=timedelta(days=3),
)
MENTIONS = MentionRules(
    thanks_by="social-care",
    thanks_within=timedelta(hours=24),
    rescue_by="social-care",
    rescue_within=timedelta(hours=2),
    wide_reach=1000,
    wide_within=timedelta(minutes=30),
    escalate_to="care-leads",
    escalated_due=timedelta(hours=1),
)
RECOVERY = RecoveryRules(
    csat_at_most=2,
    nps_at_most=6,
    ces_at_most=2,
    team="recovery",
    within=timedelta(hours=24),
    follow_up_after=timedelta(days=3),
    follow_up_every=timedelta(days=30),
    share_with="storytellers",
)
STOCK = StockRules(purpose=Purpose.MARKETING, coupon=COUPON, useful=timedelta(hours=48))
CARING = CaringRules(share=0.01, seed="caring-hands", team="caring-hands", useful=timedelta(hours=8))
GESTURES = AgentGestures(
    budgets=(
        Budget(most=Decimal("50.00"), window=timedelta(days=1)),
        Budget(most=Decimal("80.00"), window=timedelta(days=30)),
    ),
    escalate_to="care-leads",
    escalated_due=timedelta(hours=24),
)


def everything(**changes: Any) -> Playbook:
    """Every policy, each with the rules above."""
    rules: dict[str, Any] = {
        "response": RESPONSE,
        "mentions": MENTIONS,
        "recovery": RECOVERY,
        "stock": STOCK,
        "caring": CARING,
        "agent_gestures": GESTURES,
    }
    return tuned(**(rules | changes))


def exposures(journey: Scenario) -> list[ExperimentExposed]:
    """Every exposure so far."""
    return [one for one in journey.everything if isinstance(one, ExperimentExposed)]


__all__ = [
    "CARING",
    "COUPON",
    "GESTURES",
    "MENTIONS",
    "RECOVERY",
    "RESPONSE",
    "STOCK",
    "answer",
    "asks",
    "cannot_have",
    "closes",
    "done",
    "engages",
    "everything",
    "exposures",
    "feedback",
    "given_by_agent",
    "posts",
    "sent",
]
