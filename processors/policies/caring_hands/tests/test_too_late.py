"""Contacts that arrive too late to be assigned."""

from __future__ import annotations

from datetime import timedelta

from processors.policies.caring_hands.tests.rules import RULES, eager
from tests.journey.care import asks
from tests.journey.given import given, profile, tuned
from tests.journey.test_too_late import NOW


def test_a_contact_that_is_heard_of_too_late_has_one_word() -> None:
    """That caring hands would have taken the case is recorded once."""
    ana = given(profile(NOW - timedelta(days=40)), playbook=tuned(eager(RULES)))
    ana.when(asks(NOW - timedelta(days=20)), now=NOW).then("suppress assigned: no_longer_useful")
    ana.when_time_passes_to(NOW + timedelta(days=90)).then_nothing()
