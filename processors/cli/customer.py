"""`careline customer`: one customer, as the view has them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Annotated, Any

import typer

from processors.cli.exits import Exit, ended, explained
from processors.settings import Settings
from processors.terminal import Grid, Screen, say, say_json
from processors.view.customer import CustomerView, Entry, OutreachStory
from processors.view.documents import to_plain
from processors.view.reading import customer_view
from processors.view.redis_store import RedisViewStore
from processors.view.standing import Standing, standing, told
from processors.view.wording import clock_time, consent, decided, summary, words
from streams.clock import SystemClock
from streams.config import TimeSource
from streams.zones import unknown_zone, zone_named

_COLOURS = {
    "sent": "green",
    "not sent": "yellow",
    "held back": "yellow",
    "retracted": "magenta",
    "uncertain": "red",
    "task": "cyan",
    "done": "green",
}


def customer(
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="The customer's id.")],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum length of each list.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show one customer: profile, consents, what is in progress, the timeline, and why each outreach was sent or not.

    It reads the view in Redis, which `careline run view` keeps up to date. Times are in the customer's time zone.
    Exit codes: 0 shown, 2 a setting is wrong, 3 Redis does not answer, 4 the view does not know the customer.

    Example: careline customer customer-0001 --limit 50
    """
    with explained():
        settings = Settings.from_environment()
        found = asyncio.run(_look_up(settings, customer_id, limit))
        now = _stands(settings, found)
    if not found.known:
        raise ended(_unknown(found), Exit.ABSENT)
    if as_json:
        say_json(as_data(found, now))
    else:
        show(found, Screen(), now)


def _stands(settings: Settings, view: CustomerView) -> Standing | None:
    if view.state is None:
        return None
    from processors.playbook import load_playbook  # here, because an unknown customer has no situation

    now: datetime = SystemClock().now()
    if settings.time_source is TimeSource.EVENTS:  # a day of long ago is played: now is when it got so far
        now = view.state.updated_at
    playbook = load_playbook(settings.playbook)
    try:
        return standing(view.state, now, playbook)
    except Exception as error:  # a state that was kept before such values were refused: all the rest is shown
        say(f"The current situation cannot be shown: {type(error).__name__}: {error}", err=True)
        return None


async def _look_up(settings: Settings, customer_id: str, limit: int) -> CustomerView:
    store = RedisViewStore(settings)
    try:
        return await customer_view(store, customer_id, limit=limit)
    finally:
        await store.close()


def _unknown(view: CustomerView) -> str:
    if view.erased_at is not None:
        return f"{view.customer_id} was erased on {view.erased_at:%d %b %Y, %H:%M} UTC; nothing is kept of them."
    return (
        f"The view does not know {view.customer_id}. It is filled by `careline run view`: "
        "that must be running, and may still be catching up (its /readyz says so)."
    )


def show(view: CustomerView, console: Screen, now: Standing | None = None) -> None:
    """Print the customer for a person to read; ``now`` is the current situation."""
    zone = view.zone
    name = view.profile.name or view.customer_id
    console.tell((name, "bold"), "  ", (view.customer_id, "dim") if name != view.customer_id else "")
    console.tell(f"All times are in {zone.key} ({_whose(view)}).", style="dim")
    console.heading("Profile")
    about = [f"language {view.profile.locale}"] if view.profile.locale else []
    about += [f"{words(one.channel)} {one.address}" for one in view.profile.addresses]
    _lines(console, about, view.limit, nothing="nothing known yet")
    suppressed = () if view.state is None else view.state.suppressions
    refused = [
        f"{words(one.channel)} {one.address or 'at any address'} is closed: {words(one.reason)}" for one in suppressed
    ]
    console.heading("Consents")
    _lines(console, [consent(one) for one in view.consents] + refused, view.limit, nothing="none given or refused")
    console.heading("In progress")
    journeys = view.open_journeys
    underway = [f"{_said(one, zone)}  (since {clock_time(one.opened_at, zone)})" for one in journeys[: view.limit]]
    _lines(console, underway, view.limit, nothing="nothing is open", of=len(journeys))
    if view.tasks:
        console.heading("Open tasks for staff")
        _lines(console, [_said(one, zone) for one in view.tasks], view.limit, of=view.tasks_kept)
    if now is not None:
        console.heading("Current situation")
        _lines(console, told(now, zone), view.limit, nothing="nothing is waiting")
    console.heading("Outreach: why, and why not")
    for story in view.outreach:
        _show_story(console, story, view)
    if not view.outreach or view.outreach_kept > len(view.outreach):
        _lines(console, [], 0, nothing="no policy has wanted to write yet", of=view.outreach_kept - len(view.outreach))
    kept = max(view.timeline_kept, len(view.timeline))
    shown = "all" if kept == len(view.timeline) else f"{len(view.timeline):,} of"
    console.heading(f"Timeline, newest first ({shown} {kept:,} entries)")
    grid = Grid(("when", "kind", "what"), rigid=("when", "kind"), header=False, indent=2)
    for entry in view.timeline:
        grid.add((clock_time(entry.at, zone), "dim"), (entry.kind, "cyan"), _said(entry.record, zone))
    console.grid(grid)
    if view.unreadable:
        console.heading("Not shown")
        _lines(console, list(view.unreadable), view.limit)


def _whose(view: CustomerView) -> str:
    """Whose time zone it is that times are shown in."""
    told = view.profile.time_zone
    if not told:
        return "UTC; time zone unknown"
    if zone_named(told) is None:
        return f"UTC; time zone unknown: {unknown_zone(told)}"
    return "their own time zone"


def _show_story(console: Screen, story: OutreachStory, view: CustomerView) -> None:
    zone = view.zone
    first = story.request or story.decision
    title = f"{words(first.policy)}, {words(first.occasion)}" if first is not None else str(story.outreach_id)
    colour = _COLOURS.get(story.status.partition(",")[0], "cyan")
    console.tell((story.status, f"bold {colour}"), f"  {title}  ", (clock_time(story.at, zone), "dim"), indent=2)
    details = _latest([f"{decided(one, zone)}: {one.explanation}" for one in story.decisions], view.limit)
    details += [] if story.request is None else [f"why we serve: {story.request.why}"]
    outcomes = [f"{clock_time(one.occurred_at, zone)}: {_said(one, zone)}" for one in story.outcomes]
    details += _latest(outcomes, view.limit)
    details += [_said(one, zone) for one in (story.task, story.done, story.retraction) if one is not None]
    for detail in details:
        console.tell(detail, indent=6)


def _said(record: Any, zone: tzinfo) -> str:
    """What happened, in one line, or why it cannot be shown."""
    try:
        return summary(record, zone)
    except Exception as error:  # one strange record does not hide all the others
        return f"{type(record).__name__}, which cannot be shown ({type(error).__name__}: {error})"


def _lines(console: Screen, lines: list[str], limit: int, *, nothing: str = "", of: int | None = None) -> None:
    """At most ``limit`` of the lines, and how many more there are of all (``of``, if these are not all)."""
    for line in lines[:limit]:
        console.tell(line, indent=2)
    more = (len(lines) if of is None else of) - len(lines[:limit])
    if more > 0:
        console.tell(f"and {more:,} more; --limit shows more", style="dim", indent=2)
    elif not lines:
        console.tell(nothing, style="dim", indent=2)


def _latest(lines: list[str], limit: int) -> list[str]:
    before = len(lines) - limit
    return [f"({before:,} earlier ones)", *lines[-limit:]] if before > 0 else lines


def as_data(view: CustomerView, now: Standing | None = None) -> dict[str, Any]:
    """The customer as JSON has it. Times are ISO 8601 in UTC; ``time_zone`` is the customer's own.

    No list in it is longer than ``view.limit``; ``totals`` says of each that was cut, by its path, how long it is.
    """
    limit = view.limit
    journeys = view.open_journeys
    totals = {
        "open": len(journeys),
        "tasks": max(view.tasks_kept, len(view.tasks)),
        "outreach": max(view.outreach_kept, len(view.outreach)),
        "timeline": max(view.timeline_kept, len(view.timeline)),
    }
    data = {
        "customer_id": view.customer_id,
        "time_zone": view.zone.key,
        "profile": to_plain(view.profile),
        "consents": [to_plain(one) for one in view.consents],
        "open": [{"what": type(one).__name__, **to_plain(one)} for one in journeys[:limit]],
        "tasks": [to_plain(one) for one in view.tasks],
        "standing": None if now is None else _standing_data(now, limit),
        "outreach": [_story_data(story) for story in view.outreach],
        "timeline": [_entry_data(entry, view.zone) for entry in view.timeline],
        "unreadable": list(view.unreadable),
    }
    return {**_cut(data, limit, totals), "limit": limit, "totals": totals}


def _cut(data: Any, limit: int, totals: dict[str, int], path: str = "") -> Any:
    """The data with no list longer than ``limit``."""
    if isinstance(data, dict):
        return {name: _cut(one, limit, totals, f"{path}.{name}".lstrip(".")) for name, one in data.items()}
    if not isinstance(data, list | tuple):
        return data
    if len(data) > limit:
        totals[path] = len(data)
        data = data[-limit:] if path.endswith(_OLDEST_FIRST) else data[:limit]
    return [_cut(one, limit, totals, f"{path}.{at}") for at, one in enumerate(data)]


_OLDEST_FIRST = (".decisions", ".outcomes")


def _standing_data(now: Standing, limit: int) -> dict[str, Any]:
    data = to_plain(replace(now, cases=now.cases[:limit], held=now.held[:limit]))
    shown = {case.journey_id for case in now.cases[:limit]}
    data["escalates_at"] = {one: at for one, at in data["escalates_at"].items() if one in shown}
    return {**data, "cases_in_all": len(now.cases), "held_in_all": len(now.held)}


def _entry_data(entry: Entry, zone: tzinfo) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "what": type(entry.record).__name__,
        "summary": _said(entry.record, zone),
        "topic": entry.topic,
        "partition": entry.partition,
        "offset": entry.offset,
        "record": to_plain(entry.record),
    }


def _story_data(story: OutreachStory) -> dict[str, Any]:
    decision = story.decision
    return {
        "outreach_id": story.outreach_id,
        "status": story.status,
        "reason": None if decision is None else decision.reason,
        "why": None if decision is None else decision.explanation,
        "decisions": [to_plain(one) for one in story.decisions],
        "request": None if story.request is None else to_plain(story.request),
        "outcomes": [{"what": type(one).__name__, **to_plain(one)} for one in story.outcomes],
        "retraction": None if story.retraction is None else to_plain(story.retraction),
        "task": None if story.task is None else to_plain(story.task),
        "done": None if story.done is None else to_plain(story.done),
    }
