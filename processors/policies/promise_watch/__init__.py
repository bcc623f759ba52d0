"""Promise watch: if a promise passes without news, somebody on staff finds out why."""

from __future__ import annotations

from processors.policies.plugin import Plugin
from processors.policies.promise_watch.agreement import unwatched_promises
from processors.policies.promise_watch.decisions import PromiseWatch
from processors.policies.promise_watch.rules import PromiseRules
from processors.policies.promise_watch.section import PromiseSection

POLICY = Plugin(
    policy=PromiseWatch(),
    package=__name__,
    rules=PromiseRules,
    section=PromiseSection,
    made=lambda section, currency: section.rules(),
    misfits=unwatched_promises,
    rank=80,
    section_rank=20,
    when=("a promised time has passed without news; or a wait has lasted so long that automatic letters stop"),
    what=(
        "a task for a team to find out, or to settle it with the customer; retracted as soon as the outcome is known"
    ),
)

__all__ = ["POLICY"]
