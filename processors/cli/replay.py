"""`careline replay`: compare what would be decided with the recorded decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from processors.cli.exits import Exit, explained
from processors.journey.playbook import Playbook
from processors.playbook import load_playbook
from processors.replay import Report, replay
from processors.replay.kafka import KafkaSource
from processors.replay.show import show
from processors.settings import Settings
from processors.terminal import Screen, say_json_text
from streams.errors import SettingsError


def replay_command(
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Start of the range, such as 2013-02-08.")],
    until: Annotated[
        str, typer.Option("--to", metavar="TIME", help="End of the range, exclusive, such as 2013-02-08T18:30Z.")
    ],
    playbook: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decide with this playbook instead of CARELINE_PLAYBOOK.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the JSON report to a file.")] = None,
    most: Annotated[int, typer.Option("--show", min=0, help="How many differing customers to name.")] = 10,
    check: Annotated[bool, typer.Option("--check", help="Exit with code 1 if anything differs.")] = False,
) -> None:
    """Decide again on the touchpoints that are kept, and show what differs from the recorded decisions. Sends nothing.

    The production core runs over every touchpoint that is kept, at the times when the journeys role handled them.
    Decisions between --from and --to are compared with the recorded ones. With --playbook, it shows which customers
    would have received something else. Times are ISO 8601; without an offset they are UTC, and a date is
    its midnight. The same topics, range and playbook always give the same report, byte for byte.

    Exit codes: 0 the report is made (with --check: and nothing differs), 1 with --check something differs, 2 an
    option, a setting or the playbook is wrong, 3 Kafka or the registry does not answer.

    Example: careline replay --from 2013-02-08 --to 2013-02-09 --playbook new.yaml
    """
    with explained():
        begin, end = _time("--from", since), _time("--to", until)
        if begin >= end:
            raise SettingsError(f"--to: {until} is not later than --from {since}")
        settings = Settings.from_environment()
        rules = load_playbook(playbook or settings.playbook)
        _writable(out)
        with _bar(Screen(stderr=True)) as progress:
            report = asyncio.run(_replay(settings, rules, begin, end, progress))
        text = report.as_json() if as_json or out is not None else ""
        if out is not None:
            out.write_text(text, encoding="utf-8")
    if as_json:
        say_json_text(text)
    else:
        show(report, Screen(), most=most)
    if check and not report.exact:
        raise typer.Exit(Exit.FAILED)


async def _replay(
    settings: Settings, playbook: Playbook, since: datetime, until: datetime, progress: Callable[[int, int], None]
) -> Report:
    async with KafkaSource(settings) as source:
        return await replay(
            source,
            playbook=playbook,
            since=since,
            until=until,
            progress=progress,
            destinations=settings.destinations,
            writers=settings.allowed_writers,
        )


def _time(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option}: {text!r} is not a time; write 2013-02-08 or 2013-02-08T18:30Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _writable(out: Path | None) -> None:
    """Better now than after the work."""
    if out is not None:
        try:
            out.touch()
        except OSError as error:
            raise SettingsError(f"--out: cannot write {out}: {error.strerror}") from error


@contextmanager
def _bar(console: Screen) -> Iterator[Callable[[int, int], None]]:
    bar = Progress(
        TextColumn("touchpoints"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("touchpoints", total=None)
        yield lambda read, of: bar.update(task, completed=read, total=of)
