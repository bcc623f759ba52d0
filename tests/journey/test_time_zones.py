"""Time zone names of customers' systems in a journey."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from processors.roles.journeys import JourneyLogic
from streams import metrics
from streams.events import JourneyState, Touchpoint
from streams.processor import Incoming
from streams.topics import Topics
from tests.journey.given import PLAYBOOK, at, delay, given, profile


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Brasilia", "America/Sao_Paulo"),
        ("america/sao_paulo", "America/Sao_Paulo"),
        ("UTC-3", "Etc/GMT+3"),
        ("Tokyo Standard Time", "Asia/Tokyo"),
        ("Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_a_journey_keeps_the_iana_name(written: str, kept: str) -> None:
    """The state keeps the IANA name; an unknown name stays as written."""
    journey = given(profile(time_zone=written)).when(delay(minutes=60, time_zone=written))
    assert journey.known.profile.time_zone == kept
    assert [wait.time_zone for wait in journey.known.delays] == [kept]


def test_no_letter_waits_for_a_zone_that_another_system_names_otherwise() -> None:
    """A letter for a customer in "Brasilia" is sent at once, without a hold for an unknown time zone."""
    given(profile(time_zone="Brasilia")).when(delay(minutes=60)).then("send notice with free-book")


def test_a_zone_that_nobody_knows_is_counted() -> None:
    """An unknown time zone is counted by type of touchpoint, once per touchpoint; known ones are not counted."""
    logic = JourneyLogic(topics=Topics(), playbook=PLAYBOOK)

    def counted() -> float:
        found = metrics.REGISTRY.get_sample_value("careline_unknown_time_zones_total", {"record": "ProfileUpdated"})
        return found or 0.0

    def take(event: Touchpoint, state: JourneyState | None) -> JourneyState | None:
        incoming = Incoming(record=event, value=b"", headers=())
        step = logic.receive(incoming, state, at("12:30"), busy=False)
        logic.committed(() if step.unchanged else (event,), step.sends)
        return step.state

    before = counted()
    odd, fine = profile(time_zone="Mars/Olympus"), profile(at("12:10"), time_zone="Brasilia")
    state = take(fine, take(odd, take(odd, None)))
    assert counted() == before + 1
    assert state is not None
    assert ZoneInfo(state.profile.time_zone or "").key == "America/Sao_Paulo"
