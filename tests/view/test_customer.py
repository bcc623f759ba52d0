"""What a care person sees of one customer."""

from __future__ import annotations

import io
import json
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from processors.cli.customer import as_data, customer, show
from processors.cli.exits import Exit
from processors.terminal import Screen
from processors.view.customer import CustomerView
from processors.view.reading import customer_view, outreach_story
from streams import events
from streams.events import replace
from tests.view.sample import (
    ANNA,
    ASKED,
    DAY,
    DELAYED,
    DONE,
    HELD,
    REFUSED,
    REQUESTED,
    SENT,
    STATE,
    TASK,
    TASK_TAKEN_BACK,
    after,
    uid,
    view_of,
)  # fmt: skip


async def seen(*records: Any, limit: int = 500) -> CustomerView:
    return await customer_view(await view_of(*records), ANNA, limit=limit)


def printed(view: CustomerView) -> str:
    out = io.StringIO()
    show(view, Screen(file=out, width=140))
    return out.getvalue()


async def test_records_come_back_as_they_were() -> None:
    """Through the view and back nothing of a record is lost."""
    view = await seen(*DAY)
    assert view.state == replace(STATE, recent_events=b"")
    assert [entry.record for entry in view.timeline][:2] == [ASKED, REFUSED]
    facts = [entry.record for entry in view.timeline if entry.kind in ("touchpoint", "outcome")]
    assert facts == [ASKED, SENT, DELAYED]


async def test_only_what_is_open_is_under_way() -> None:
    """A wait that ended is history."""
    view = await seen(*DAY)
    assert [one.description for one in view.open_journeys if isinstance(one, events.Delay)] == ["UA 123 to Chicago"]


async def test_a_record_published_twice_is_one_line() -> None:
    """The same event at two offsets happened once; its first place is shown."""
    view = await seen(DELAYED, ASKED, DELAYED)
    assert [entry.record for entry in view.timeline] == [ASKED, DELAYED]
    assert view.timeline[1].offset == 0


async def test_the_timeline_is_as_long_as_asked_for() -> None:
    """Newest first, and no more than wanted."""
    assert [entry.record for entry in (await seen(*DAY, limit=2)).timeline] == [ASKED, REFUSED]


async def test_an_outreach_tells_its_whole_story() -> None:
    """Held for the night, then sent: both reasons, and that it left."""
    story = await outreach_story(await view_of(*DAY), uid("letter"))
    assert story is not None
    assert story.status == "sent"
    assert [one.reason for one in story.decisions] == ["quiet_hours", "due"]
    assert story.request == REQUESTED
    assert story.outcomes == (SENT,)
    assert await outreach_story(await view_of(*DAY), "another") is None


FAILURE = events.OutreachFailed(
    event_id=uid("failure"), customer_id=ANNA, occurred_at=after(61), source="dispatcher", outreach_id=uid("letter"),
    channel=events.OutreachChannel.EMAIL, reason=events.FailureReason.EXPIRED,
)  # fmt: skip
DOUBT = events.OutreachUncertain(
    event_id=uid("doubt"), customer_id=ANNA, occurred_at=after(61), source="dispatcher", outreach_id=uid("letter"),
    channel=events.OutreachChannel.EMAIL, provider="smtp",
)  # fmt: skip
TAKEN_BACK = events.OutreachRetracted(
    outreach_id=uid("letter"), customer_id=ANNA, retracted_at=after(62), decision_id=uid("back"), policy="delay_care",
    journey_id="delay:UA-123", reason="wait_ended",
)  # fmt: skip


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ((HELD,), "held back"),
        ((REFUSED,), "not sent"),
        ((HELD, REQUESTED), "requested"),
        ((REQUESTED, SENT), "sent"),
        ((REQUESTED, SENT, TAKEN_BACK), "sent, then retracted"),
        ((REQUESTED, FAILURE), "not sent"),
        ((REQUESTED, DOUBT), "uncertain"),
        ((REQUESTED, TAKEN_BACK), "retracted"),
    ],
)
async def test_what_became_of_it_is_said_in_a_word(records: tuple[Any, ...], status: str) -> None:
    """Each way an outreach can go has a name."""
    assert [story.status for story in (await seen(*records)).outreach] == [status]


async def test_the_page_tells_why_and_why_not_in_the_customers_own_time() -> None:
    """What stands on the screen: who, what is under way, and the reasons for each letter."""
    page = printed(await seen(*DAY))
    for wanted in (
        "Anna Madeup",
        "America/Chicago (their own time zone)",
        "email anna@mail.example",
        "marketing on every channel: denied",
        "2 h 05 min late, expected Fri 8 Feb 2013, 10:05 (weather)",
        "hold until Fri 8 Feb 2013, 07:00 (quiet hours): It is night where Anna is.",
        "send (due): The wait is over an hour.",
        "suppress (frequency cap): Three letters a day are enough.",
        "why we serve: So that nobody waits in the dark.",
        "feedback CSAT 5: You told me in time",
    ):
        assert wanted in page


async def test_what_customers_wrote_is_not_taken_for_markup() -> None:
    """Square brackets in a text are shown, not obeyed."""
    assert "[bold]loud[/bold]" in printed(await seen(replace(ASKED, text="[bold]loud[/bold]")))


@pytest.mark.parametrize("zone", ["America/Chicago", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("year", [1, 9999])
async def test_times_at_the_ends_of_the_calendar_are_shown_or_left_out(zone: str, year: int) -> None:
    """A state that was kept before such times were left out is shown in any zone; no wait of millions of days."""
    end = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23 if year > 1 else 0, 30, tzinfo=UTC)
    state = replace(
        STATE,
        profile=replace(STATE.profile, time_zone=zone),
        delays=tuple(replace(one, expected_at=end, closed_at=None) for one in STATE.delays),
        orders=tuple(replace(one, promised_at=end, opened_at=end, closed_at=None) for one in STATE.orders),
        contacts=tuple(replace(one, opened_at=end, closed_before=end, closed_at=None) for one in STATE.contacts),
    )
    page = printed(await seen(*DAY, state))
    assert "late, for an unknown time" in page
    assert f"Dec {year}" not in page.replace(f"(since Fri 31 Dec {year}", "")


async def test_without_a_zone_times_are_in_utc_and_it_says_so() -> None:
    """A made-up zone is no reason to fail."""
    state = replace(STATE, profile=replace(STATE.profile, time_zone="Mars/Olympus"))
    page = " ".join(printed(await seen(state)).split())
    assert "UTC (UTC; time zone unknown: 'Mars/Olympus' is no time zone; use an IANA name" in page
    misspelt = replace(STATE, profile=replace(STATE.profile, time_zone="America/Chicgo"))
    page = " ".join(printed(await seen(misspelt)).split())
    assert "'America/Chicgo' is no time zone; did you mean America/Chicago" in page


async def test_programs_get_the_same_as_data() -> None:
    """JSON with times in ISO 8601 and the place of each record."""
    data = json.loads(json.dumps(as_data(await seen(*DAY))))
    assert data["time_zone"] == "America/Chicago"
    assert data["timeline"][0]["topic"] == "careline.touchpoints"
    assert {one["status"]: one["reason"] for one in data["outreach"]} == {"sent": "due", "not sent": "frequency_cap"}


async def test_nobody_knows_who_was_never_seen() -> None:
    """No state and no entry: unknown."""
    assert not (await customer_view(await view_of(*DAY), "nobody", limit=5)).known


def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(customer)
    return app


def test_a_redis_that_is_away_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which address does not answer, and exit code 3, as for any server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("CARELINE_REDIS_URL", f"redis://127.0.0.1:{port}/0")
    result = CliRunner().invoke(command(), [ANNA])
    assert result.exit_code == Exit.UNAVAILABLE
    assert f"Redis at 127.0.0.1:{port} does not answer" in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.live
def test_an_unknown_customer_is_said_so(stack_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4, and what fills the view."""
    monkeypatch.setenv("CARELINE_REDIS_URL", stack_env["CARELINE_REDIS_URL"].rpartition("/")[0] + "/10")
    result = CliRunner().invoke(command(), ["nobody-of-that-name"])
    assert result.exit_code == Exit.ABSENT
    assert "careline run view" in result.output


async def test_what_one_of_us_has_to_do_is_seen_first() -> None:
    """By whom and when; once it is done it is history, with who did it."""
    view = await seen(*DAY, TASK)
    assert "Open tasks for staff" in printed(view)
    assert "task for rescue, by Fri 8 Feb 2013, 11:40: Call Anna" in printed(view)
    assert [one["title"] for one in as_data(view)["tasks"]] == ["Call Anna"]
    view = await seen(*DAY, TASK, DONE)
    assert "Open tasks for staff" not in printed(view)
    assert as_data(view)["tasks"] == []
    [story] = [one for one in view.outreach if one.task is not None]
    assert (story.status, story.done) == ("done", DONE)
    assert "task done by agent-7: She is on the next flight." in printed(view)
    [story] = [one for one in (await seen(TASK, TASK_TAKEN_BACK)).outreach if one.task is not None]
    assert (story.status, story.open_task) == ("task, then retracted", None)
