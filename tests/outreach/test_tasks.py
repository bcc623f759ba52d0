"""A task as it stands in the queue: what is on it, in every language, and for requests of before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from processors.cli.tasks import _data, _show
from processors.letters.examples import examples
from processors.letters.sources import OF_TASKS
from processors.letters.templates import Templates
from processors.outreach.channels import Letter
from processors.outreach.tasks import task_of
from streams.events import Address, OutreachChannel, OutreachRequested, Purpose, replace
from tests.cli.test_terminal import printed, screen
from tests.journey.care import named_by_policies
from tests.journey.given import NOON

QUEUE = Address(channel=OutreachChannel.AGENT_TASK, address="care-leads")
EARLIER = "5d0a6f0b-1c58-5b0e-a7c4-7d3f0f8f2b10"
WAYS = "EMAIL ana@mail.example · SMS +12125550147"
OF_CUSTOMERS = named_by_policies("REACHES")
LANGUAGES = ("en", "de", "es", "pt", "fr")


def request(template: str, locale: str = "en", **said: str) -> OutreachRequested:
    """A task for the care leads, who work in Vienna."""
    return OutreachRequested(
        outreach_id="7b0c6f0b-1c58-5b0e-a7c4-7d3f0f8f2b10", customer_id="ana", requested_at=NOON, decision_id="d",
        policy=template.split("/", maxsplit=1)[0], playbook_version="t", journey_id="j", occasion="o",
        purpose=Purpose.SERVICE, addresses=(QUEUE,), template=template, locale=locale, time_zone="Europe/Vienna",
        variables={**examples()[template], **said}, why="why", useful_until=NOON + timedelta(days=1),
        due_at=NOON + timedelta(hours=2),
    )  # fmt: skip


def written(wanted: OutreachRequested) -> Letter:
    """The task in words."""
    words = Templates().render(wanted, channel=OutreachChannel.AGENT_TASK)
    return Letter.of(wanted, address=QUEUE, written=words)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("template", OF_CUSTOMERS)
def test_says_how_to_reach_the_customer(template: str, locale: str) -> None:
    """In every language; and where no address may be used, it says that and no address."""
    reached = written(request(template, locale, ways=WAYS)).text
    assert "ana@mail.example" in reached
    assert "+12125550147" in reached
    none = written(request(template, locale, ways="-")).text
    assert none != written(request(template, locale)).text
    assert "@" not in none


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("template", named_by_policies("ESCALATES"))
def test_an_escalation_names_what_it_escalates(template: str, locale: str) -> None:
    """The team, the deadline by the clocks of whoever reads it, and the task."""
    due = {"earlier_task": EARLIER, "earlier_team": "social-care", "earlier_due_at": "2026-02-09T14:00:00+00:00"}
    text = written(request(template, locale, **due)).text
    assert "social-care" in text
    assert EARLIER in text
    assert "3:00" in text or "15:00" in text, "14:00 in UTC is 15:00 in Vienna"


def test_as_a_record() -> None:
    """What a queue sorts and dials by is in fields of its own."""
    ways = f"{WAYS} · CARRIER_PIGEON x · SMS"
    wanted = request("recovery/recover", ways=ways, about="desk lamp, A-1017", earlier_task=EARLIER)
    task = task_of(wanted, written(wanted), NOON)
    assert [f"{one.channel} {one.address}" for one in task.addresses] == WAYS.split(" · ")
    assert (task.about, task.escalates, task.time_zone) == ("desk lamp, A-1017", EARLIER, "Europe/Vienna")


def test_a_task_handed_over_late_is_not_due_before_it_is_opened() -> None:
    """The queue was away for five hours."""
    wanted = request("recovery/recover")
    task = task_of(wanted, written(wanted), NOON + timedelta(hours=5))
    assert task.due_at is not None
    assert task.due_at >= task.opened_at


def test_a_request_of_before_can_still_be_written() -> None:
    """One that says nothing of ways or earlier tasks was requested by a former version."""
    wanted = request("recovery/recover")
    before = {name: said for name, said in wanted.variables.items() if name not in OF_TASKS}
    wanted = replace(wanted, variables=before)
    task = task_of(wanted, written(wanted), NOON)
    assert (task.addresses, task.escalates) == ((), None)


def test_the_list_tells_deadlines_by_the_clocks_of_the_team() -> None:
    """With the zone, how to reach the customer, what it is about, and what it escalates."""
    wanted = request("recovery/recover", ways="SMS +12125550147", about="desk lamp, A-1017", earlier_task=EARLIER)
    task = replace(task_of(wanted, written(wanted), NOON), title="Make it right with Ana")
    on = screen(400)
    _show((task,), on, NOON)
    said = " ".join(printed(on).split())
    for part in ("15:00 CET", "+12125550147", "desk lamp, A-1017", "Make it right with Ana", EARLIER):
        assert part in said
    assert _data(task, NOON)["due_at_local"] == "2026-02-09T15:00+01:00"
    assert _data(replace(task, time_zone="Mars/Olympus"), NOON)["due_at_local"] == "2026-02-09T14:00+00:00"
