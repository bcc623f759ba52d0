"""Time zones as publishers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import InvalidEvent
from streams.events import ProfileUpdated
from streams.publishing.validation import check_outgoing
from streams.zones import as_iana, nearest_zones, unknown_zone, zone_named
from tests import zone_data

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("America/New_York", "America/New_York"),
        ("america/sao_paulo", "America/Sao_Paulo"),
        ("AMERICA/NEW YORK", "America/New_York"),
        (" Europe/Berlin ", "Europe/Berlin"),
        ("América/São_Paulo", "America/Sao_Paulo"),
        ("US/Eastern", "America/New_York"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("europe/oslo", "Europe/Oslo"),
        ("Iceland", "Atlantic/Reykjavik"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("eastern time (us & canada)", "America/New_York"),
        ("Brasilia", "America/Sao_Paulo"),
        ("Kyiv", "Europe/Kyiv"),
        ("Buenos Aires", "America/Argentina/Buenos_Aires"),
        ("St. Petersburg", "Europe/Moscow"),
        ("Nuku'alofa", "Pacific/Tongatapu"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/Dublin"),
        ("UTC", "UTC"),
        ("z", "UTC"),
        ("UTC+0", "UTC"),
    ],
)
def test_a_zone_is_known_however_it_is_written(written: str, meant: str) -> None:
    """Names of the database, of Windows, of Rails and of cities, in any case."""
    assert zone_named(written) == meant


@pytest.mark.parametrize(
    ("written", "ahead"),
    [
        ("UTC-3", -3),
        ("GMT+02:00", 2),
        ("utc +05:30", 5.5),
        ("+0530", 5.5),
        ("-08:00", -8),
        ("UTC\u22124", -4),
        ("UTC-09:30", -9.5),
        ("UTC+14", 14),
        ("UTC-12", -12),
        ("Etc/GMT+3", -3),
    ],
)
def test_a_fixed_offset_decides(written: str, ahead: float) -> None:
    """Winter and summer alike the clocks are so far from UTC. Only the database's own names count westward."""
    zone = ZoneInfo(zone_named(written) or "")
    for moment in (NOON, NOON + timedelta(days=183)):
        assert moment.astimezone(zone).utcoffset() == timedelta(hours=ahead)


@pytest.mark.parametrize(
    "written",
    ["", " ", "Mars/Olympus", "PST", "Central", "North", "Paris, Texas", "UTC+15", "UTC-13", "UTC+10:30", "UTC+1:99",
     "../etc/passwd", "America", "Europe/Vienna\x00", "x" * 10_000, "()", "(UTC-05:00)", "+", "Factory"],
)  # fmt: skip
def test_nobody_guesses(written: str) -> None:
    """What may mean several zones, or none, is not known."""
    assert zone_named(written) is None


def test_every_zone_of_the_database_is_known() -> None:
    """By its own name, and under it or the name that replaced it the same time is told all year."""
    moments = [NOON + timedelta(days=days) for days in range(0, 365, 30)]
    for name in available_timezones() - {"Factory", "localtime"}:
        zone = ZoneInfo(zone_named(name) or "")
        for moment in moments:
            assert moment.astimezone(zone).utcoffset() == moment.astimezone(ZoneInfo(name)).utcoffset(), name


def test_the_names_are_those_of_the_locked_libraries() -> None:
    """Made again, the file is the same: `python -m tests.zone_data` after an update of tzdata or Babel."""
    assert zone_data.FILE.read_text(encoding="utf-8") == zone_data.text()


@given(st.text(max_size=60))
def test_any_text_has_an_answer(written: str) -> None:
    """Whatever is written, there is a zone that exists, or none; and what to tell whoever wrote it."""
    zone = zone_named(written)
    if zone is None:
        assert as_iana(written) == written
        assert "is not a time zone" in unknown_zone(written)
    else:
        assert ZoneInfo(zone).key == zone == zone_named(zone)


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("Estern Time (US & Canada)", "America/New_York"),
        ("Amerika/New_York", "America/New_York"),
        ("Sao Paolo", "America/Sao_Paulo"),
    ],
)
def test_the_nearest_names_are_told(written: str, first: str) -> None:
    """A slip of the pen is named with what was meant."""
    assert zone_named(written) is None
    assert nearest_zones(written)[0] == first
    assert first in unknown_zone(written)


@pytest.mark.parametrize("written", ["UTC+15", "PST", "UTC+10:30"])
def test_no_advice_is_better_than_bad_advice(written: str) -> None:
    """An offset or an abbreviation is not like any other by its letters."""
    assert unknown_zone(written).endswith("use an IANA name, such as America/New_York")


def profile(**fields: Any) -> ProfileUpdated:
    return ProfileUpdated(
        event_id="6f1c9c1e-6f0c-4c5b-8f3a-0d4f0a4b7c11", customer_id="ana", occurred_at=NOON, source="urn:crm", **fields
    )


def test_the_publisher_refuses_a_zone_that_nobody_knows() -> None:
    """The caller hears of it, with the nearest names; everything that is known passes."""
    with pytest.raises(InvalidEvent, match=r"time_zone: 'Europe/Berln' is not a time zone; did you mean Europe/Berlin"):
        check_outgoing(profile(time_zone="Europe/Berln"), now=NOON)
    for known in ("Brasilia", "UTC-3", "america/sao_paulo", None, ""):
        check_outgoing(profile(time_zone=known), now=NOON)
