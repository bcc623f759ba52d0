"""What else happens to Ana: she asks, she posts, she tells us how it was, she is given something; and the rules for it.

Continues :mod:`tests.journey.given`, in the same language.
"""

from __future__ import annotations

import importlib
import importlib.util
from datetime import datetime
from decimal import Decimal
from typing import Any

from processors.journey.identity import outreach_id
from processors.journey.playbook import Playbook, Rules
from processors.policies.plugin import Plugin
from processors.policies.registry import installed
from streams.events import (
    AgentTaskDone,
    Alternative,
    Channel,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    Engagement,
    ExperimentExposed,
    FeedbackGiven,
    FeedbackKind,
    GestureGiven,
    ItemUnavailable,
    MentionPosted,
    OutreachChannel,
    OutreachEngaged,
    OutreachSent,
    Resolution,
    Sentiment,
)
from tests.journey.given import CUSTOMER, NOON, Journey, facts, tuned


def brought_by(plugin: Plugin, what: str) -> Any:
    """What a policy's package has under that name in ``tests/rules.py``; () where it has none."""
    name = f"{plugin.package}.tests.rules"
    return getattr(importlib.import_module(name), what, ()) if importlib.util.find_spec(name) else ()


def named_by_policies(what: str) -> tuple[str, ...]:
    """What the tests of all installed policies bring under that name."""
    return tuple(name for plugin in installed() for name in brought_by(plugin, what))


def everything(*rules: Rules, **changes: Any) -> Playbook:
    """Every policy, each by the rules that its tests bring, or by these."""
    brought = [found for plugin in installed() if (found := brought_by(plugin, "RULES"))]
    return tuned(*brought, *rules, **changes)


def eager(playbook: Playbook) -> Playbook:
    """The playbook by which every policy acts wherever it could."""
    for plugin in installed():
        changed, rules = brought_by(plugin, "eager"), playbook.rules_of(plugin.rules)
        if rules is not None and changed:
            playbook = playbook.with_rules(changed(rules))
    return playbook


# -- what happened -----------------------------------------------------------------------------------------------------


def asks(
    when: datetime = NOON, contact: str = "c1", *, channel: Channel = Channel.CALL, matter: str | None = None
) -> ContactOpened:
    """Ana gets in touch."""
    return ContactOpened(**facts(when), contact_id=contact, channel=channel, matter=matter, summary="Where is it?")


def answer(
    when: datetime, contact: str = "c1", *, channel: Channel = Channel.CALL, automated: bool = False
) -> ContactReplied:
    """A person answers, or a machine does."""
    return ContactReplied(**facts(when), contact_id=contact, channel=channel, automated=automated, agent_id="kim")


def closes(when: datetime, contact: str = "c1", resolution: Resolution = Resolution.SOLVED) -> ContactClosed:
    """The contact ends."""
    return ContactClosed(**facts(when), contact_id=contact, resolution=resolution)


def posts(
    tone: Sentiment, when: datetime = NOON, mention: str = "m1", *, reach: int | None = None
) -> MentionPosted:  # fmt: skip
    """Ana says something about us in public."""
    return MentionPosted(
        **facts(when), mention_id=mention, platform="forum", link="https://forum.example/m1", text="Four hours!",
        sentiment=tone, reach=reach,
    )  # fmt: skip


def feedback(
    kind: FeedbackKind, when: datetime = NOON, name: str = "f1", *,
    score: int | None = None, tone: Sentiment = Sentiment.UNKNOWN, text: str | None = None,
) -> FeedbackGiven:  # fmt: skip
    """Ana tells us how it was."""
    return FeedbackGiven(**facts(when), feedback_id=name, kind=kind, score=score, sentiment=tone, text=text)


def cannot_have(when: datetime = NOON, item: str = "boots-42", *prices: str) -> ItemUnavailable:
    """Ana asks for what we do not have; others do, at these prices."""
    alternatives = tuple(
        Alternative(
            seller=f"seller {n}", link=f"https://seller{n}.example/{item}", price=Decimal(price), currency="USD"
        )
        for n, price in enumerate(prices, 1)
    )
    return ItemUnavailable(**facts(when), item_id=item, description="red boots", alternatives=alternatives)


def given_by_agent(when: datetime = NOON, cost: str = "6.00", name: str = "g1", **changes: Any) -> GestureGiven:
    """An employee gives Ana something."""
    said = {"gesture_id": name, "agent_id": "kim", "code": "coffee", "cost": Decimal(cost), "currency": "USD"}
    return GestureGiven(**(facts(when) | said | changes))


def done(when: datetime, policy: str, journey: str, occasion: str) -> AgentTaskDone:
    """Somebody did what the task asked for."""
    return AgentTaskDone(**facts(when), task_id=outreach_id(CUSTOMER, policy, journey, occasion), agent_id="kim")


def sent(when: datetime, journey: Journey, *, channel: OutreachChannel = OutreachChannel.EMAIL) -> OutreachSent:
    """The latest letter left, on that channel."""
    return OutreachSent(
        **facts(when), outreach_id=journey.requests[-1].outreach_id, channel=channel, provider="smtp"
    )  # fmt: skip


def engages(
    when: datetime, journey: Journey, kind: Engagement, *, channel: OutreachChannel = OutreachChannel.EMAIL
) -> OutreachEngaged:
    """Ana does something with the latest letter."""
    outreach = journey.requests[-1].outreach_id
    return OutreachEngaged(**facts(when), outreach_id=outreach, channel=channel, kind=kind)


def exposures(journey: Journey) -> list[ExperimentExposed]:
    """Every exposure so far."""
    return [one for one in journey.everything if isinstance(one, ExperimentExposed)]
