"""A drive that cannot fail is worthless: each way in which alerts can be wrong is planted, and reported."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.drill.verdict import Alert, Expectation, Judgement, Sighting, Wanted, judge

ABSENT = Alert.of({"alertname": "RoleAbsent", "role": "journeys", "severity": "page"})
OTHER = Alert.of({"alertname": "RoleAbsent", "role": "view", "severity": "ticket"})
SLOW = Alert.of({"alertname": "EventsCommitTooSlow", "role": "journeys", "severity": "page"})
BEHIND = Alert.of({"alertname": "ViewBehind", "role": "view", "severity": "ticket"})
EXPECTED = Expectation(
    fires=(Wanted("RoleAbsent", 10, {"role": "journeys"}),),
    suppressed=frozenset({"EventsCommitTooSlow"}),
    may=frozenset({"ProcessorStalled"}),
)
REPAIRED, ENDED = 60.0, 100.0


def between(begin: float, end: float, *alerts: Alert) -> dict[float, set[Alert]]:
    """The alerts, seen every second from ``begin`` until before ``end``."""
    return {float(at): {*alerts} for at in range(int(begin), int(end))}


def seen(
    *firing: dict[float, set[Alert]],
    held: Iterable[dict[float, set[Alert]]] = (),
    blind: tuple[float, float] | None = None,
    expected: Expectation = EXPECTED,
) -> Judgement:
    """The verdict on a drive from 0 to 100 s, repaired after 60, in which these alerts fired."""
    sightings = []
    for number in range(101):
        at = float(number)
        if blind is None or not blind[0] < at < blind[1]:
            now = frozenset(alert for one in firing for alert in one.get(at, ()))
            kept = frozenset(alert for one in held for alert in one.get(at, ()))
            sightings.append(Sighting(at, now, kept))
    return judge(expected, sightings, began=0.0, repaired=REPAIRED, ended=ENDED)


def test_what_should_happen_passes_and_is_timed() -> None:
    """It fires, what follows from it tells nobody, and both end."""
    found = seen(between(5, 70, ABSENT), between(20, 65, SLOW), held=[between(21, 66, SLOW)])
    assert found.failures == ()
    assert found.fired == {"RoleAbsent": 5.0}
    assert found.resolved == {"RoleAbsent": 10.0}
    assert found.suppressed == ("EventsCommitTooSlow",)


GOOD_SLOW = between(20, 65, SLOW)
HELD = [between(20, 66, SLOW)]


def test_an_alert_that_never_fires_is_reported() -> None:
    """The fault was there for a minute."""
    found = seen(GOOD_SLOW, held=HELD)
    assert found.failures == ("RoleAbsent did not fire before the repair, 60 s after the fault",)
    assert found.fired == {}


def test_an_alert_that_fires_only_after_the_repair_is_reported() -> None:
    """Too late to be of use."""
    assert "did not fire before the repair" in seen(between(70, 80, ABSENT), GOOD_SLOW, held=HELD).failures[0]


def test_an_alert_of_another_role_is_not_the_one() -> None:
    """Its labels have to be right."""
    found = seen(between(5, 70, OTHER), GOOD_SLOW, held=HELD)
    assert "RoleAbsent did not fire before the repair, 60 s after the fault" in found.failures


def test_an_alert_that_fires_late_is_reported() -> None:
    """Later than its `for` and a few scrapes."""
    found = seen(between(30, 70, ABSENT), between(40, 65, SLOW), held=[between(40, 66, SLOW)])
    assert found.failures == ("RoleAbsent fired after 30.0 s, later than 10.0 s",)


def test_a_fault_that_takes_a_while_to_be_there_counts_from_then() -> None:
    """An alert that fires meanwhile is as fast as can be."""
    sightings = [Sighting(float(at), frozenset({ABSENT} if 30 <= at < 70 else ())) for at in range(101)]
    expected = Expectation(fires=EXPECTED.fires)
    for caused, seconds in ((25.0, 5.0), (40.0, 0.0)):
        found = judge(expected, sightings, began=0.0, caused=caused, repaired=REPAIRED, ended=ENDED)
        assert (found.failures, found.fired) == ((), {"RoleAbsent": seconds})


def test_an_alert_that_never_resolves_is_reported() -> None:
    """Also if it comes back after it had ended."""
    found = seen(between(5, 101, ABSENT), GOOD_SLOW, held=HELD)
    assert found.failures == ("RoleAbsent did not resolve within 40 s of the repair",)
    assert found.resolved == {}
    again = seen(between(5, 70, ABSENT), between(95, 101, ABSENT), GOOD_SLOW, held=HELD)
    assert again.failures == ("RoleAbsent did not resolve within 40 s of the repair",)


def test_a_consequence_that_never_resolves_is_reported() -> None:
    """A permitted one, too."""
    stalled = Alert.of({"alertname": "ProcessorStalled", "role": "journeys"})
    fires = (between(5, 70, ABSENT), GOOD_SLOW)
    assert seen(*fires, between(50, 80, stalled), held=HELD).also == ("ProcessorStalled",)
    assert seen(*fires, between(50, 80, stalled), held=HELD).failures == ()
    assert seen(*fires, between(50, 101, stalled), held=HELD).failures == (
        "ProcessorStalled did not resolve within 40 s of the repair",
    )


def test_an_alert_that_has_nothing_to_do_with_it_is_reported() -> None:
    """However short it fired."""
    found = seen(between(5, 70, ABSENT), GOOD_SLOW, between(30, 31, BEHIND), held=HELD)
    assert found.failures == ("ViewBehind fired, which has nothing to do with it",)


@pytest.mark.parametrize("kept", [[], [between(40, 66, SLOW)]])
def test_an_inhibited_alert_that_notifies_is_reported(kept: list[dict[float, set[Alert]]]) -> None:
    """At any time more than a moment after it fired, up to the repair."""
    found = seen(between(5, 70, ABSENT), GOOD_SLOW, held=kept)
    assert found.failures == ("EventsCommitTooSlow was not suppressed although RoleAbsent fired",)


def test_an_inhibited_alert_that_does_not_fire_shows_nothing() -> None:
    """The drive has to hold the fault for longer."""
    found = seen(between(5, 70, ABSENT))
    assert found.failures == ("EventsCommitTooSlow did not fire, so it shows no inhibition",)


def test_an_alert_that_somebody_silences_is_reported() -> None:
    """It fires, and nobody is told."""
    found = seen(between(5, 70, ABSENT), GOOD_SLOW, held=[*HELD, between(5, 70, ABSENT)])
    assert found.failures == ("RoleAbsent was suppressed all the time, so nobody was told",)


def test_a_drive_that_saw_nothing_is_reported() -> None:
    """A Prometheus that does not answer is not one without alerts."""
    found = seen(between(5, 70, ABSENT), GOOD_SLOW, held=HELD, blind=(30, 45))
    assert found.failures == ("nothing was seen for 15 s",)


def test_a_fault_that_should_be_quiet_is_quiet() -> None:
    """Nothing fires; anything that does is reported."""
    assert seen(expected=Expectation()).failures == ()
    assert seen(between(5, 7, BEHIND), expected=Expectation()).failures == (
        "ViewBehind fired, which has nothing to do with it",
    )
