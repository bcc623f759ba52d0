"""Within Kafka, exactly once."""

from __future__ import annotations

from streams.events import JourneyState, OutreachRequested
from tests.journey.codec import TOPICS
from tests.journey.given import delay, given, profile
from tests.replay.given import day

WRITTEN = (TOPICS.journeys, TOPICS.decisions, TOPICS.outreach)


async def test_a_role_that_is_killed_before_its_commit_has_done_nothing() -> None:
    """Offsets, state, decisions and outreach are committed in one transaction."""
    facts = profile(), delay(minutes=45)  # on real brokers, with kill -9: tests/live/test_processor.py
    one_role, two_roles = day(), day()
    one_role.publish(*facts)
    two_roles.publish(*facts)

    await two_roles.killed()
    assert [await two_roles.bytes_on(topic) for topic in WRITTEN] == [[], [], []]

    await two_roles.handled()
    await one_role.handled()
    for topic in WRITTEN:
        assert await two_roles.bytes_on(topic) == await one_role.bytes_on(topic)
    assert [type(one) for one in await two_roles.on(TOPICS.outreach)] == [OutreachRequested]
    [*_, state] = await two_roles.on(TOPICS.journeys)
    assert isinstance(state, JourneyState)
    assert state.touchpoints == len(facts)


def test_a_fact_that_is_told_again_is_known() -> None:
    """A repeated `event_id` changes nothing if it is among the latest 64 facts of its customer."""
    late = delay(minutes=45)
    others = [profile(name=f"Ana {number}") for number in range(63)]
    ana = given(profile(), late, *others)
    before = ana.state
    for fact in (late, *others):
        ana.when(fact).then_nothing()
        assert ana.handling == "duplicate"
    assert ana.state == before
