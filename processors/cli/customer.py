"""`careline customer`: one customer, as the view has them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from processors.playbook import load_playbook
from processors.view.customer import CustomerView, Entry, OutreachStory, customer_view
from processors.view.documents import to_plain
from processors.view.redis_store import RedisViewStore
from processors.view.standing import Standing, standing, told
from processors.view.wording import clock_time, consent, decided, summary, words
from streams.clock import SystemClock
from streams.config import Settings, TimeSource
from streams.errors import CarelineError
from streams.zones import unknown_zone, zone_named

FAILED = 1
UNKNOWN = 4

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
    limit: Annotated[int, typer.Option(min=1, max=500, help="Entries of the timeline.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show one customer: profile, consents, what is under way, the timeline, and why they heard from us or did not.

    It reads the view in Redis that `careline run view` keeps. Times are in the customer's own time zone.
    Exit codes: 0 shown, 1 Redis does not answer or a setting is wrong, 4 the view does not know the customer.

    Example: careline customer customer-0001 --limit 50
    """
    try:
        settings = Settings.from_environment()
        found = asyncio.run(_look_up(settings, customer_id, limit))
        now = _stands(settings, found)
    except CarelineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    if not found.known:
        typer.echo(_unknown(found), err=True)
        raise typer.Exit(UNKNOWN)
    if as_json:
        typer.echo(json.dumps(as_data(found, now), indent=2, ensure_ascii=False))
    else:
        show(found, Console(), now)


def _stands(settings: Settings, view: CustomerView) -> Standing | None:
    if view.state is None:
        return None
    now: datetime = SystemClock().now()
    if settings.time_source is TimeSource.EVENTS:  # a day of long ago is played: now is when it got so far
        now = view.state.updated_at
    return standing(view.state, now, load_playbook(settings.playbook))


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


def show(view: CustomerView, console: Console, now: Standing | None = None) -> None:
    """Print the customer for a person to read; ``now`` is where they stand with us."""
    zone = view.zone
    name = view.profile.name or view.customer_id
    console.print(Text.assemble((name, "bold"), "  ", (view.customer_id, "dim") if name != view.customer_id else ""))
    console.print(Text(f"All times are in {zone.key} ({_whose(view)}).", style="dim"))
    _section(console, "Profile")
    about = [f"language {view.profile.locale}"] if view.profile.locale else []
    about += [f"{words(one.channel)} {one.address}" for one in view.profile.addresses]
    _lines(console, about, nothing="nothing told yet")
    suppressed = () if view.state is None else view.state.suppressions
    refused = [f"{words(one.channel)} {one.address} is not to be used: {words(one.reason)}" for one in suppressed]
    _section(console, "Consents")
    _lines(console, [consent(one) for one in view.consents] + refused, nothing="none given, none refused")
    _section(console, "Under way")
    underway = [f"{summary(one, zone)}  (since {clock_time(one.opened_at, zone)})" for one in view.open_journeys]
    _lines(console, underway, nothing="nothing is open")
    tasks = [story.open_task for story in view.outreach if story.open_task is not None]
    if tasks:
        _section(console, "To be done by one of us")
        _lines(console, [summary(one, zone) for one in tasks], nothing="")
    if now is not None:
        _section(console, "Where they stand with us")
        _lines(console, told(now, zone), nothing="nothing waits")
    _section(console, "Outreach: why, and why not")
    if not view.outreach:
        _lines(console, [], nothing="no policy wanted to reach them yet")
    for story in view.outreach:
        _show_story(console, story, view)
    _section(console, f"Timeline, newest first ({len(view.timeline)} entries)")
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_column()
    for entry in view.timeline:
        table.add_row(clock_time(entry.at, zone), Text(entry.kind, style="cyan"), Text(_told(entry, view)))
    console.print(table)


def _whose(view: CustomerView) -> str:
    """Whose time zone it is that times are shown in."""
    told = view.profile.time_zone
    if not told:
        return "UTC; their own zone is not known"
    if zone_named(told) is None:
        return f"UTC; their own zone is not known: {unknown_zone(told)}"
    return "their own time zone"


def _show_story(console: Console, story: OutreachStory, view: CustomerView) -> None:
    zone = view.zone
    first = story.request or story.decision
    title = f"{words(first.policy)}, {words(first.occasion)}" if first is not None else str(story.outreach_id)
    colour = _COLOURS.get(story.status.partition(",")[0], "cyan")
    line = Text.assemble("  ", (story.status, f"bold {colour}"), f"  {title}  ", (clock_time(story.at, zone), "dim"))
    console.print(line, soft_wrap=True)
    details = [f"{decided(one, zone)}: {one.explanation}" for one in story.decisions]
    details += [] if story.request is None else [f"meant: {story.request.why}"]
    details += [f"{clock_time(one.occurred_at, zone)}: {summary(one, zone)}" for one in story.outcomes]
    details += [] if story.task is None else [summary(story.task, zone)]
    details += [] if story.done is None else [summary(story.done, zone)]
    details += [] if story.retraction is None else [summary(story.retraction, zone)]
    for detail in details:
        console.print(Padding(Text(detail), (0, 0, 0, 6)))


def _told(entry: Entry, view: CustomerView) -> str:
    return summary(entry.record, view.zone)


def _section(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold underline"))


def _lines(console: Console, lines: list[str], *, nothing: str) -> None:
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 2)))
    if not lines:
        console.print(Text(f"  {nothing}", style="dim"))


def as_data(view: CustomerView, now: Standing | None = None) -> dict[str, Any]:
    """The customer as JSON has it. Times are ISO 8601 in UTC; ``time_zone`` is the customer's own."""
    return {
        "customer_id": view.customer_id,
        "time_zone": view.zone.key,
        "profile": to_plain(view.profile),
        "consents": [to_plain(one) for one in view.consents],
        "open": [{"what": type(one).__name__, **to_plain(one)} for one in view.open_journeys],
        "tasks": [to_plain(story.open_task) for story in view.outreach if story.open_task is not None],
        "standing": None if now is None else to_plain(now),
        "outreach": [_story_data(story, view) for story in view.outreach],
        "timeline": [
            {
                "at": entry.at.isoformat(),
                "kind": entry.kind,
                "what": type(entry.record).__name__,
                "summary": _told(entry, view),
                "topic": entry.topic,
                "partition": entry.partition,
                "offset": entry.offset,
                "record": to_plain(entry.record),
            }
            for entry in view.timeline
        ],
    }


def _story_data(story: OutreachStory, view: CustomerView) -> dict[str, Any]:
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
