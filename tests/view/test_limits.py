"""Somebody with very much is shown in part, and that is said; a strange record does not hide the others."""

from __future__ import annotations

import importlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from processors.cli.customer import as_data, show
from processors.playbook import load_playbook
from processors.terminal import Screen
from processors.view.customer import CustomerView
from processors.view.projection import Put, Rank, customer_key, timeline_key
from processors.view.reading import customer_view, open_tasks
from processors.view.standing import standing
from processors.view.store import InMemoryViewStore
from processors.view.wording import clock_time
from streams import events
from streams.events import Record, replace
from tests.view.sample import ANNA, DELAYED, HELD, REQUESTED, SENT, STATE, TASK, after, uid, view_of, writes

MANY = 2_000
command = importlib.import_module("processors.cli.customer")  # the package has the command itself by that name
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)


def page(view: CustomerView, **more: Any) -> str:
    out = io.StringIO()
    show(view, Screen(file=out, width=120), **more)
    return out.getvalue()


def mention(number: int) -> events.Mention:
    return events.Mention(
        mention_id=f"m{number}", platform="mastodon", opened_at=after(number), as_of=after(number), text="x" * 500,
        sentiment=events.Sentiment.NEGATIVE,
    )  # fmt: skip


def contact(number: int) -> events.Contact:
    return events.Contact(
        contact_id=f"c{number}", channel=events.Channel.CHAT, opened_at=after(number), as_of=after(number)
    )


def much() -> list[Record]:
    """Somebody with 2,000 of everything that can be many."""
    address = events.Address(channel=events.OutreachChannel.EMAIL, address="anna@mail.example")
    state = replace(
        STATE,
        mentions=tuple(map(mention, range(MANY))),
        contacts=tuple(map(contact, range(MANY))),
        profile=replace(STATE.profile, addresses=(address,) * MANY),
        consents=STATE.consents * MANY,
    )
    return [
        state,
        *(replace(TASK, task_id=uid(f"t{n}"), customer_id=ANNA, opened_at=after(n)) for n in range(MANY)),
        *(replace(HELD, decision_id=uid(f"d{n}"), decided_at=after(n)) for n in range(MANY)),
        *(replace(SENT, event_id=uid(f"s{n}"), occurred_at=after(n)) for n in range(MANY)),
        replace(REQUESTED, requested_at=after(MANY)),
    ]


def longest(data: Any) -> int:
    """The length of the longest list anywhere in it."""
    if isinstance(data, dict):
        return max((longest(one) for one in data.values()), default=0)
    return max([len(data), *map(longest, data)]) if isinstance(data, list) else 0


@pytest.mark.parametrize("limit", [1, 7])
async def test_the_limit_holds_for_everything_listed(limit: int) -> None:
    """However much there is of a customer, no list is longer than asked for, and each says how long it really is."""
    view = await customer_view(await view_of(*much()), ANNA, limit=limit)
    assert view.state is not None
    now = standing(view.state, after(60), load_playbook())
    data = json.loads(json.dumps(as_data(view, now)))
    assert longest(data) == limit
    assert len(json.dumps(data)) < 40_000 * limit
    assert data["limit"] == limit
    totals = data["totals"]
    # two waits are older; of the letter and 2,000 tasks the latest 100 are kept, of the timeline 200 entries
    assert (totals["open"], totals["tasks"], totals["outreach"], totals["timeline"]) == (4_001, 99, 100, 200)
    assert totals["consents"] == totals["profile.addresses"] == MANY
    assert totals["outreach.0.decisions"] + totals["outreach.0.outcomes"] == 100, "of one letter the latest, together"
    assert data["outreach"][0]["decisions"][-1]["decision_id"] == uid(f"d{MANY - 1}"), "of decisions the latest"
    said = page(view, now=now)
    assert len(said.splitlines()) < 40 + 20 * limit
    for more in (f"and {4_001 - limit:,} more", f"and {99 - limit:,} more", "earlier ones)",
                 f"({limit} of 200 entries)"):  # fmt: skip
        assert more in said


async def test_who_has_little_is_shown_whole() -> None:
    """Nothing speaks of more where there is no more."""
    view = await customer_view(await view_of(STATE, DELAYED, HELD, TASK), ANNA, limit=20)
    assert " more" not in page(view).replace("--limit", "")
    assert set(as_data(view)["totals"]) == {"open", "tasks", "outreach", "timeline"}


async def spoilt(key: str, text: str) -> InMemoryViewStore:
    """A view of a few records, with one document of a newer version, or of a stranger."""
    store = InMemoryViewStore()
    spoil = Put(key, text) if key == customer_key(ANNA) else Rank(key, text, 1 << 50)
    await store.apply(await store.begin(), [*writes(STATE, DELAYED, HELD, TASK), spoil], {})
    return store


@pytest.mark.parametrize("text", ["", "{", "[]", '{"what": "FromTheFuture", "id": "1", "at": "x"}', "null", "7"])
@pytest.mark.parametrize("key", [customer_key(ANNA), timeline_key(ANNA)])
async def test_a_document_that_cannot_be_read_costs_itself(key: str, text: str) -> None:
    """The rest of the customer is shown, and that something is missing is said."""
    view = await customer_view(await spoilt(key, text), ANNA, limit=20)
    assert len(view.unreadable) == 1
    assert len(view.timeline) == 3
    assert "cannot be read" in page(view)
    assert as_data(view)["unreadable"]


async def test_a_task_that_cannot_be_read_costs_itself() -> None:
    """The team's queue is listed without it, and says so."""
    store = await view_of(TASK, replace(TASK, task_id="other", customer_id="ben"))
    store._hashes["careline:view:outreach:other"]["task"] = ('{"what": "FromTheFuture"}', 0)
    lost: list[str] = []
    assert await open_tasks(store, unreadable=lost) == (TASK,)
    assert len(lost) == 1


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "UTC", "Mars/Olympus"])
@pytest.mark.parametrize("moment", [FIRST, LAST], ids=["the first day", "the last day"])
async def test_the_ends_of_the_calendar_are_shown(moment: datetime, zone: str) -> None:
    """A state that was kept with such dates is shown in every zone, on the page and as JSON."""
    late = replace(STATE.delays[0], promised_at=FIRST, expected_at=LAST, opened_at=moment, as_of=moment)
    profile = replace(STATE.profile, time_zone=zone)
    state = replace(STATE, profile=profile, delays=(late,), contacts=(replace(contact(1), opened_at=moment),))
    view = await customer_view(await view_of(state, replace(DELAYED, occurred_at=moment)), ANNA, limit=5)
    assert "UA 123 to Chicago" in page(view)
    assert as_data(view)["open"]
    assert str(moment.year) in clock_time(moment, view.zone)


async def test_where_they_stand_may_be_unsayable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a rule overflows on what was kept, all the rest is shown."""
    state = replace(STATE, contacts=(replace(contact(1), opened_at=LAST),))
    view = await customer_view(await view_of(state), ANNA, limit=5)
    assert command._stands(command.Settings(), view) is None
    assert "cannot be shown: OverflowError" in capsys.readouterr().err


async def test_a_record_that_cannot_be_worded_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """One strange record does not hide the others."""
    real = command.summary

    def summary(record: Any, zone: Any) -> str:
        if isinstance(record, events.DelayNoticed):
            raise ValueError("strange")
        return real(record, zone)

    monkeypatch.setattr(command, "summary", summary)
    view = await customer_view(await view_of(STATE, DELAYED, HELD), ANNA, limit=5)
    said = page(view)
    assert "DelayNoticed, which cannot be shown (ValueError: strange)" in said
    assert "quiet hours" in said
