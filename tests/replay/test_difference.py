"""Two sides of decisions: what differs, who hears it, and how it is counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from processors.replay.difference import Difference, difference
from processors.replay.fold import Tally
from processors.replay.recorded import Decided
from processors.replay.report import Report, SetAside, figures
from streams.avro.codec import as_written
from streams.clock import to_millis
from streams.events import Decision, DecisionKind, OutreachChannel
from tests.journey.given import NOON, at, erased
from tests.replay.test_replay import stormy


def decided(number: int, kind: DecisionKind = DecisionKind.SEND, **changes: Any) -> Decided:
    """One decision about Ana, each about an outreach of its own unless told otherwise."""
    said: dict[str, Any] = {
        "decision_id": f"d-{number}",
        "customer_id": "ana",
        "decided_at": NOON,
        "reason": "wanted",
        "explanation": "",
        "policy": "recovery",
        "playbook_version": "test",
        "journey_id": "feedback/1",
        "occasion": f"step-{number}",
        "outreach_id": f"o-{number}",
        "channel": OutreachChannel.EMAIL,
    }
    return Decided(decision=Decision(kind=kind, **(said | changes)))


def between(recorded: list[Decided], replayed: list[Decided]) -> Difference:
    """The difference of two sides."""
    before, after = ({one.decision.decision_id: one for one in side} for side in (recorded, replayed))
    return difference(before, after)


def report(found: Difference) -> Report:
    """A report of it."""
    return Report(
        since=NOON,
        until=NOON + timedelta(days=1),
        playbook="test",
        reached=to_millis(NOON + timedelta(days=1)),
        tally=Tally(),
        difference=found,
        set_aside=SetAside(customers=frozenset(), recorded=0, replayed=0),
        recorded_twice=0,
        replayed_twice=0,
    )


def test_a_task_is_for_our_own_people_and_no_customer_hears_it() -> None:
    """It is a difference, counted by the hour beside what customers get."""
    task = decided(2, DecisionKind.ESCALATE, channel=OutreachChannel.AGENT_TASK)
    found = between([decided(1)], [decided(1), task])
    assert found.customers == ("ana",)
    assert found.hear_otherwise() == frozenset()
    data = report(found).as_data()
    assert data["sends_per_hour"] == {"2026-02-09T12:00Z": {"recorded": 1, "replayed": 1}}
    assert data["tasks_per_hour"] == {"2026-02-09T12:00Z": {"recorded": 0, "replayed": 1}}


def test_who_is_refused_for_another_reason_hears_nothing_either_way() -> None:
    """They are concerned, but do not hear otherwise."""
    found = between(
        [decided(1, DecisionKind.SUPPRESS, reason="no_consent")], [decided(2, DecisionKind.SUPPRESS, reason="holdout")]
    )
    assert found.customers == ("ana",)
    assert found.hear_otherwise() == frozenset()


def test_who_hears_the_same_an_hour_later_hears_otherwise() -> None:
    """When is a part of it."""
    found = between([decided(1)], [decided(1, decided_at=at("13:00"))])
    assert found.changed[0].fields == ("decided_at",)
    assert found.hear_otherwise() == {"ana"}


def test_an_outreach_is_wanted_once_however_often_it_is_decided_on() -> None:
    """Held, then sent, then taken back is one; what is only taken back was wanted before."""
    same = {"outreach_id": "o-1"}
    some = [
        decided(1, DecisionKind.HOLD, reason="quiet_hours", **same),
        decided(2, **same),
        decided(3, DecisionKind.RETRACT, reason="wait_over", **same),
        decided(4, DecisionKind.RETRACT, reason="wait_over"),
    ]
    found = figures(some)
    assert (found["wanted"], found["send"], found["retract"]) == (1, {"wanted": 1}, {"wait_over": 2})


def test_a_record_is_compared_as_it_is_written() -> None:
    """To the millisecond: what is finer is not on the topic."""
    fine = decided(1, decided_at=NOON + timedelta(microseconds=1)).decision
    assert as_written(fine) == decided(1).decision


async def test_somebody_forgotten_of_whom_the_beginning_is_gone_is_left_out() -> None:
    """There is no state that could tell how much is missing."""
    today = await stormy()
    moment: datetime = at("21:00")
    today.publish(erased(moment))
    await today.handled()
    assert not (await today.replayed()).set_aside.customers
    today.source.forget_before(0, 1)
    report_ = await today.replayed()
    assert report_.set_aside.customers == {"ana"}
    assert not report_.difference


def test_the_same_decision_in_other_words_is_the_same() -> None:
    """An upgrade that words explanations better changes no decision; the replay counts them and says so."""
    before, after = decided(1, explanation="nothing stood against it"), decided(1, explanation="no rule objected")
    found = between([before, decided(2)], [after, decided(2)])
    assert not found
    assert (len(found.same), found.reworded) == (2, 1)
    assert report(found).as_data()["difference"]["reworded"] == 1


def test_under_another_playbook_other_words_are_expected() -> None:
    """An explanation names the rules of its playbook; it is not counted as worded anew."""
    before, after = (decided(1, explanation=said, playbook_version=said) for said in ("3 hours", "4 hours"))
    assert between([before], [after]).reworded == 0


def test_another_reason_is_a_difference_whatever_the_words() -> None:
    """The reason is what was decided; the words only explain it."""
    one, other = (decided(1, DecisionKind.SUPPRESS, reason=reason) for reason in ("no_consent", "holdout"))
    assert [changed.fields for changed in between([one], [other]).changed] == [("reason",)]
