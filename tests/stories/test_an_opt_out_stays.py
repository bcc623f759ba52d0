"""An opt-out stays in force."""

from __future__ import annotations

from datetime import datetime

import pytest

from processors.testing import MAIL, Scenario, at, delay, engages, facts, given, playbook, profile
from streams.events import (
    Address,
    ConsentChanged,
    ConsentStatus,
    Engagement,
    FailureReason,
    OutreachChannel,
    OutreachFailed,
    Purpose,
    replace,
)
from streams.events.sources import OUTREACH
from tests.journey.test_merges import People, known, merge, of, spam

EMAIL = OutreachChannel.EMAIL
AT_ANY_TIME = playbook(caps=None, quiet_hours=None)


def written_to(ana: Scenario, when: datetime) -> bool:
    """Whether she hears of another flight that is late."""
    before = len(ana.requests)
    ana.when(delay(when, minutes=60, subject=f"UA-{when:%H%M}", promised=when.replace(hour=when.hour + 2)))
    return len(ana.requests) > before


def opts_in(when: datetime, *, vouched_for_by: str | None = None) -> ConsentChanged:
    """She allows service letters by e-mail; or an employee vouches that she does."""
    return ConsentChanged(
        **facts(when), channel=EMAIL, purpose=Purpose.SERVICE, status=ConsentStatus.GRANTED, reopened_by=vouched_for_by
    )


@pytest.mark.parametrize("opt_out", [Engagement.UNSUBSCRIBED, Engagement.COMPLAINED])
def test_until_they_opt_in_again(opt_out: Engagement) -> None:
    """A customer who unsubscribes or complains receives nothing more on that channel, at any address, until they opt in
    again (after a complaint: until an employee vouches for it)."""
    ana = given(profile(), delay(minutes=60), playbook=AT_ANY_TIME)
    ana.when(engages(at("12:05"), ana, opt_out))
    assert not written_to(ana, at("12:10"))

    ana.when(profile(at("12:15"), addresses=(MAIL, Address(channel=EMAIL, address="new@mail.example"))))
    assert not written_to(ana, at("12:20"))

    ana.when(opts_in(at("12:25")))
    assert written_to(ana, at("12:30")) is (opt_out is Engagement.UNSUBSCRIBED)

    ana.when(opts_in(at("12:35"), vouched_for_by="kim"))
    assert written_to(ana, at("12:40"))


def test_a_mailbox_is_one_however_it_is_spelt() -> None:
    """A bounced address is closed in every spelling."""
    ana = given(profile(), delay(minutes=60), playbook=AT_ANY_TIME)
    bounced = {"outreach_id": ana.requests[0].outreach_id, "channel": EMAIL, "reason": FailureReason.BOUNCED}
    ana.when(OutreachFailed(**facts(at("12:05"), source=OUTREACH), **bounced))
    ana.when(profile(at("12:10"), addresses=(Address(channel=EMAIL, address=" ANA@Mail.Example."),)))
    assert not written_to(ana, at("12:15"))


def test_a_merge_undoes_no_opt_out() -> None:
    """When two records are merged, the remaining one inherits every opt-out of the other."""
    late = of("stays", delay(at("12:00"), minutes=60))
    people = People().hear(known("stays", "ana@mail.example")).hear(known("gone", "ana@work.example"))
    people.hear(spam("gone", at("10:00"))).hear(merge("stays", "gone", at("11:00"))).settle()
    assert people.hear(late).letters("stays") == []

    unmerged = People().hear(known("stays", "ana@mail.example")).hear(spam("gone", at("10:00")))
    assert unmerged.hear(replace(late, event_id="another")).letters("stays") == ["ana@mail.example"]
