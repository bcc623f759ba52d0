"""Renewal reminder: nobody is charged again without having been told in time to say no."""

from __future__ import annotations

from processors.policies.plugin import Plugin
from renewal_reminder.decisions import RenewalReminder
from renewal_reminder.rules import RenewalRules
from renewal_reminder.section import RenewalSection

POLICY = Plugin(
    policy=RenewalReminder(),
    package=__name__,
    rules=RenewalRules,
    section=RenewalSection,
    made=lambda section, currency: section.rules(),
    when="a subscription renews soon",
    what="a letter that says so while there is time to say no; once for each renewal",
)

__all__ = ["POLICY"]
