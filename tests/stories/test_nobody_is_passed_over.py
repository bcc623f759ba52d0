"""Nobody is passed over without a reason."""

from __future__ import annotations

from typing import Any

import pytest

from processors.testing import NOON, Scenario, at, consent, delay, given, playbook, profile
from streams.events import Address, ConsentStatus, Decision, DecisionKind, OutreachChannel, OutreachRequested

PHONE = Address(channel=OutreachChannel.SMS, address="+15550100")
BY_SMS = playbook(channel_order=["SMS"])
ONCE_A_DAY = playbook(caps=[{"purpose": "SERVICE", "most": 1, "window": "24h"}])
HELD_OUT = playbook(holdouts={"delay_care": {"share": 1, "seed": "to-see-what-it-is-worth"}})
OTHER = delay(NOON, minutes=60, subject="UA1")


@pytest.mark.parametrize(
    ("ana", "reason"),
    [
        (given(profile(addresses=())), "no_address"),
        (given(profile(), consent(ConsentStatus.DENIED)), "no_consent"),
        (given(profile(time_zone="Australia/Sydney", addresses=(PHONE,)), playbook=BY_SMS), "quiet_hours"),
        (given(profile(), OTHER, playbook=ONCE_A_DAY), "frequency_cap"),
        (given(profile(), playbook=HELD_OUT), "holdout"),
    ],
    ids=["no address", "no consent", "at night", "enough for a day", "held out"],
)
def test_every_refusal_is_on_record(ana: Scenario, reason: str) -> None:
    """If a policy wanted to write and the guard refused, a `Decision` records the reason."""
    ana.when(delay(at("12:10"), minutes=60))
    decisions: list[Any] = [one for one in ana.outputs if isinstance(one, Decision)]
    assert not any(isinstance(one, OutreachRequested) for one in ana.outputs)
    assert [(one.policy, one.reason) for one in decisions] == [("delay_care", reason)]
    assert decisions[0].kind in (DecisionKind.SUPPRESS, DecisionKind.HOLD)
    assert len(decisions[0].explanation) > 10
