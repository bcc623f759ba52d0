"""`careline tasks`: the open tasks of staff, from the view."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.text import Text

from processors.cli.exits import explained
from processors.settings import Settings
from processors.terminal import Grid, Part, Screen, say, say_json, styled
from processors.view.documents import to_plain
from processors.view.reading import open_tasks
from processors.view.redis_store import RedisViewStore
from processors.view.wording import span
from streams.clock import SystemClock, in_zone
from streams.events import AgentTask
from streams.zones import zone_of


def tasks(
    team: Annotated[str | None, typer.Option(help="Only this team.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of tasks.")] = 100,
    everything: Annotated[bool, typer.Option("--all", help="Also tasks that are no longer useful.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List the open tasks of staff, the longest overdue first.

    It reads the view in Redis, which `careline run view` keeps up to date. A task leaves the list when it is done
    (`AgentTaskDone`), retracted, or no longer useful.
    Exit codes: 0 listed, 3 Redis does not answer.

    Example: careline tasks --team rescue
    """
    now = SystemClock().now()
    unreadable: list[str] = []
    with explained():
        found = asyncio.run(_look_up(team, limit, useful_at=None if everything else now, unreadable=unreadable))
    for line in unreadable:
        say(line, err=True)
    if as_json:
        say_json([_data(task, now) for task in found])
    else:
        _show(found, Screen(), now)


async def _look_up(
    team: str | None, limit: int, *, useful_at: datetime | None, unreadable: list[str]
) -> tuple[AgentTask, ...]:
    store = RedisViewStore(Settings.from_environment())
    try:
        return await open_tasks(store, team=team, limit=limit, useful_at=useful_at, unreadable=unreadable)
    finally:
        await store.close()


def _overdue(task: AgentTask, now: datetime) -> timedelta | None:
    """By how long; None for one that is not, or has no time."""
    return now - task.due_at if task.due_at is not None and task.due_at < now else None


def _data(task: AgentTask, now: datetime) -> dict[str, Any]:
    due = None if task.due_at is None else _local(task.due_at, task).isoformat(timespec="minutes")
    return {**to_plain(task), "overdue": _overdue(task, now) is not None, "due_at_local": due}


def _local(moment: datetime, task: AgentTask) -> datetime:
    """By the clocks of the team."""
    return in_zone(moment, zone_of(task.time_zone) or UTC)


def _show(found: tuple[AgentTask, ...], console: Screen, now: datetime) -> None:
    if not found:
        console.print("Nothing has to be done.")
        return
    grid = Grid(("due", "team", "what", "customer", "reach", "task"), rigid=("due", "team", "customer", "task"))
    for task in found:
        grid.add(_due(task, now), task.team, _what(task), task.customer_id, _reach(task), (task.task_id, "dim"))
    console.grid(grid)


def _what(task: AgentTask) -> Text:
    """The title, what it is about where the title does not say so, and the task that was left undone."""
    about = f"; {task.about}" if task.about and task.about not in task.title else ""
    escalated = f"; escalates {task.escalates}" if task.escalates else ""
    mark = ("escalated: ", "bold red") if task.escalation else ""
    return styled(mark, task.title, about, (escalated, "dim") if escalated else "")


def _reach(task: AgentTask) -> str:
    return ", ".join(one.address for one in task.addresses)


def _due(task: AgentTask, now: datetime) -> Part:
    if task.due_at is None:
        return "when there is time"
    local = _local(task.due_at, task)
    clock = f"{local:%d %b %H:%M} {local.tzname()}"
    late = _overdue(task, now)
    if late is not None:
        return (f"overdue by {span(late)} ({clock})", "bold red")
    return f"in {span(task.due_at - now)} ({clock})"
