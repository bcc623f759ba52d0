"""`careline topics`: the catalogue, and the broker made to match it."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any

import typer

from processors.cli.exits import Exit, ended, explained
from processors.settings import Settings
from processors.terminal import Grid, Screen, say, say_json
from streams.broker.provision import TopicChange, TopicPlan, TopicStatus, apply_topics, plan_topics
from streams.topics import Topic, Topics

app = typer.Typer(help="The topics of the contract: list them, set them up.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def apply(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    keep_history: Annotated[
        bool | None,
        typer.Option(
            "--keep-history/--no-keep-history",
            help="Keep records for ever, to play a past day.",
            show_default="CARELINE_KEEP_HISTORY",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how the broker differs from the catalogue, then create and change its topics to match.

    Topic settings that others made and that the catalogue does not mention are kept. The number of partitions
    of a topic never changes, because keys would move away from their state.

    Exit codes: 0 nothing is left to do, 1 changes are pending (--dry-run) or were declined or refused,
    2 a setting is wrong, such as another number of partitions, 3 Kafka does not answer.

    Example: careline topics apply --yes
    """
    with explained():
        settings = Settings.from_environment()
        plan = asyncio.run(plan_topics(settings, keep_history=keep_history))
        applied = False
        if not as_json:
            _show(plan)
        if plan.pending and not dry_run and not plan.problems:
            if not yes:
                _ask(plan)
            asyncio.run(apply_topics(plan))
            applied = True
        if as_json:
            say_json(_as_data(plan, applied))
        elif applied:
            say("Done.")
        if plan.problems and not dry_run:
            raise ended("\n".join(plan.problems), Exit.WRONG)
        if plan.pending and not applied:
            raise typer.Exit(Exit.FAILED)


@app.command("list")
def show(as_json: Json = False) -> None:
    """Print the catalogue: topics, their keys and records, how long they are kept, and who writes them.

    Exit codes: 0 printed, 2 a setting is wrong.

    Example: careline topics list --json
    """
    with explained():
        topics = Settings.from_environment().topics
    if as_json:
        say_json([_entry(topics, topic) for topic in topics.all()])
        return
    grid = Grid(("topic", "key", "kept", "written by", "records"), rigid=("topic",))
    for topic in topics.all():
        grid.add(topics.full_name(topic), topic.key, _kept(topic), topic.owner, _records(topic))
    Screen().grid(grid)


def _ask(plan: TopicPlan) -> None:
    if not sys.stdin.isatty():
        raise ended("Not a terminal: use --yes to apply this, or --dry-run to see the changes only.", Exit.WRONG)
    typer.confirm(f"Apply this to {plan.settings.kafka_bootstrap}?", abort=True, err=True)


def _show(plan: TopicPlan) -> None:
    console = Screen()
    if not plan.pending:
        console.print(f"All {len(plan.changes)} topics match the catalogue; nothing to do.")
        return
    grid = Grid(("topic", "", "what"), rigid=("topic",))
    for change in plan.changes:
        grid.add(change.topic, (change.status, _COLOURS[change.status]), _what(change))
    console.grid(grid)


_COLOURS = {"same": "dim", "missing": "green", "differs": "yellow", "refused": "red"}  # by TopicStatus


def _what(change: TopicChange) -> str:
    if change.problem is not None:
        return change.problem
    if change.status is TopicStatus.MISSING:
        return "\n".join(
            [f"{change.partitions} partitions", *(f"{key} {value}" for key, value in change.config.items())]
        )
    return "\n".join(f"{key} {now} -> {then}" for key, (now, then) in change.differences.items())


def _as_data(plan: TopicPlan, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "topics": [
            {
                "topic": change.topic,
                "status": change.status,
                "partitions": change.partitions,
                "config": dict(change.config),
                "differences": {key: list(values) for key, values in change.differences.items()},
                "problem": change.problem,
            }
            for change in plan.changes
        ],
    }


def _entry(topics: Topics, topic: Topic) -> dict[str, Any]:
    return {
        "topic": topics.full_name(topic),
        "key": topic.key,
        "cleanup": topic.cleanup,
        "retention_days": None if topic.retention is None else topic.retention.days,
        "max_bytes": topic.max_bytes,
        "owner": topic.owner,
        "records": list(topic.records),
    }


def _kept(topic: Topic) -> str:
    return "latest by key" if topic.retention is None else f"{topic.retention.days} days"


def _records(topic: Topic) -> str:
    if not topic.records:
        return "as they came"
    if len(topic.records) == 1:
        return topic.records[0].rpartition(".")[2]
    return f"{len(topic.records)} kinds"
