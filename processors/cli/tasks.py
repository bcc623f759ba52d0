"""`careline tasks`: what our own people have to do, as the view has it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from processors.cli.exits import explained
from processors.view.customer import open_tasks
from processors.view.documents import to_plain
from processors.view.redis_store import RedisViewStore
from processors.view.wording import span
from streams.clock import SystemClock
from streams.config import Settings
from streams.events import AgentTask


def tasks(
    team: Annotated[str | None, typer.Option(help="This team's alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    everything: Annotated[bool, typer.Option("--all", help="Also what is of no use any more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List what our own people have to do, the longest overdue first.

    It reads the view in Redis that `careline run view` keeps. A task leaves the list when somebody does it
    (`AgentTaskDone`), when it is taken back, and when it is of no use any more.
    Exit codes: 0 listed, 3 Redis does not answer.

    Example: careline tasks --team rescue
    """
    now = SystemClock().now()
    with explained():
        found = asyncio.run(_look_up(team, limit, useful_at=None if everything else now))
    if as_json:
        typer.echo(json.dumps([_data(task, now) for task in found], indent=2, ensure_ascii=False))
    else:
        _show(found, Console(), now)


async def _look_up(team: str | None, limit: int, *, useful_at: datetime | None) -> tuple[AgentTask, ...]:
    store = RedisViewStore(Settings.from_environment())
    try:
        return await open_tasks(store, team=team, limit=limit, useful_at=useful_at)
    finally:
        await store.close()


def _overdue(task: AgentTask, now: datetime) -> timedelta | None:
    """By how long; None for one that is not, or has no time."""
    return now - task.due_at if task.due_at is not None and task.due_at < now else None


def _data(task: AgentTask, now: datetime) -> dict[str, Any]:
    return {**to_plain(task), "overdue": _overdue(task, now) is not None}


def _show(found: tuple[AgentTask, ...], console: Console, now: datetime) -> None:
    if not found:
        console.print("Nothing has to be done.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("due", "team", "what", "customer", "task"):
        table.add_column(column, header_style="bold", overflow="fold")
    for task in found:
        title = Text.assemble(("escalated: ", "bold red") if task.escalation else "", task.title)
        table.add_row(_due(task, now), task.team, title, task.customer_id, Text(task.task_id, style="dim"))
    console.print(table)


def _due(task: AgentTask, now: datetime) -> Text:
    late = _overdue(task, now)
    if late is not None:
        return Text(f"overdue by {span(late)}", style="bold red")
    return Text("when there is time" if task.due_at is None else f"in {span(task.due_at - now)}")
