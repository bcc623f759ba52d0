"""A playbook with every policy, and more events about Ana: she asks, she posts, she gives feedback."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from processors.journey.playbook import Playbook, Rules
from processors.policies.plugin import Plugin
from processors.policies.registry import installed
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
from streams.events import ExperimentExposed
from tests.journey.given import tuned


def brought_by(plugin: Plugin, what: str) -> Any:
    """Return what the policy's ``tests/rules.py`` defines under that name; () if nothing."""
    name = f"{plugin.package}.tests.rules"
    return getattr(importlib.import_module(name), what, ()) if importlib.util.find_spec(name) else ()


def named_by_policies(what: str) -> tuple[str, ...]:
    """Return the names that the tests of all installed policies define under ``what``."""
    return tuple(name for plugin in installed() for name in brought_by(plugin, what))


def everything(*rules: Rules, **changes: Any) -> Playbook:
    """Return a playbook with every policy, with the rules that its tests define, or with these rules."""
    brought = [found for plugin in installed() if (found := brought_by(plugin, "RULES"))]
    return tuned(*brought, *rules, **changes)


def eager(playbook: Playbook) -> Playbook:
    """Return the playbook with rules by which every policy acts wherever it can."""
    for plugin in installed():
        changed, rules = brought_by(plugin, "eager"), playbook.rules_of(plugin.rules)
        if rules is not None and changed:
            playbook = playbook.with_rules(changed(rules))
    return playbook


def exposures(journey: Scenario) -> list[ExperimentExposed]:
    """Return every exposure so far."""
    return [one for one in journey.everything if isinstance(one, ExperimentExposed)]


__all__ = [
    "answer",
    "asks",
    "brought_by",
    "cannot_have",
    "closes",
    "done",
    "eager",
    "engages",
    "everything",
    "exposures",
    "feedback",
    "given_by_agent",
    "named_by_policies",
    "posts",
    "sent",
]
