"""What the demo prints: a progress bar during the day, then tables, a letter and a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from processors.demo.policies import sent_over_time
from processors.demo.policy_table import PARTS, experiment_table, policy_table, task_panel
from processors.demo.promptness import GOAL
from processors.demo.readback import at, text_of
from processors.demo.run import Played
from processors.simulator import SIMULATED
from processors.terminal import Screen, styled


class Terminal:
    """Shows the demo on a console; prints plain lines if it is not a terminal."""

    def __init__(self, console: Screen) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def playing(self, total: int) -> Iterator[Callable[..., None]]:
        """A progress bar of published touchpoints, with the time of the day, requested outreach and kills."""
        bar = Progress(
            TextColumn("{task.fields[at]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[letters]} outreach requested"),
            TextColumn("{task.fields[kills]}", style="red"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        kills: list[str] = []
        with bar:
            task = bar.add_task("", total=total, at="", letters="0", kills="")

            def progress(
                published: int | None = None,
                at: datetime | None = None,
                letters: int | None = None,
                killed: str | None = None,
            ) -> None:
                if killed is not None:
                    kills.append(killed)
                    bar.update(task, kills=f"{len(kills)} × kill -9")
                    if not self._console.is_terminal:
                        self.say(f"kill -9 {killed}")
                if published is not None and at is not None:
                    bar.update(task, completed=published, at=_clock(at), letters=f"{letters:,}")

            yield progress

    def result(self, played: Played) -> None:
        """Print the tables, a letter and a task."""
        summary, arrivals = played.summary, played.day.arrivals
        over_time = sent_over_time(played.read.requested, since=arrivals[0].at, until=arrivals[-1].at, parts=PARTS)
        self._console.print()
        self._console.print(_table(played))
        self._console.print()
        self._console.print(
            policy_table(summary["by_policy"], over_time, summary["currency"], width=self._console.width)
        )
        if summary["experiments"]:
            self._console.print()
            self._console.print(experiment_table(summary["experiments"]))
        self._console.print(Text(SIMULATED, style="dim"))
        if played.read.sample is not None:
            self._console.print()
            self._console.print(_letter(played.read.sample))
        if played.read.sample_task is not None:
            self._console.print()
            self._console.print(task_panel(played.read.sample_task))


_clock = at


def _table(played: Played) -> Table:
    summary = played.summary
    table = Table(title=f"{played.day.date:%A %d %B %Y}", title_style="bold", show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    distinct = f"{summary['events_distinct']:,} of them distinct; publishers repeat themselves"
    table.add_row("touchpoints in", f"{summary['events_in']:,}", distinct)
    table.add_row("customers with a live journey", f"{summary['customers']:,}", "")
    delays = summary["delays"]
    table.add_row("waits", f"{sum(delays.values()):,}", f"{delays['late']:,} late, {delays['cancelled']:,} cancelled")
    table.add_section()
    sent = f"{summary['letters_in_mailbox']:,} letters in the mailbox, {summary['agent_tasks']:,} tasks for staff"
    table.add_row("outreach requested", f"{summary['outreach_requested']:,}", "")
    table.add_row("outreach sent", f"{summary['outreach_sent']:,}", sent)
    if summary["outreach_uncertain"]:
        why = "cut off by a kill while the mail server answered; not sent again"
        table.add_row("outreach uncertain", f"{summary['outreach_uncertain']:,}", why)
    if summary["outreach_failed"]:
        table.add_row("outreach not delivered", f"{summary['outreach_failed']:,}", "retracted, expired or refused")
    table.add_row(
        "outreach retracted", f"{summary['retracted']:,}", "answered, the wait over, or a newer letter says more"
    )
    table.add_section()
    owed = "waits past the threshold, counted from the flights alone"
    table.add_row("owed a letter", f"{summary['owed_a_word']:,}", owed)
    table.add_row("of these without letter or reason", _verdict(summary["silent"]), "nobody is forgotten")
    reachable = f"of {summary['reachable']:,} who may be written to and have an address"
    table.add_row("told within a minute of the notice", _goal(summary["told_within_a_minute"]), reachable)
    table.add_row("told before they asked", _goal(summary["told_before_they_asked"]), "a few asked before the notice")
    table.add_row("duplicates", _verdict(summary["duplicates"]), "decided, requested, ended or delivered twice")
    table.add_row("dead letters", _verdict(summary["dead_letters"]), "unreadable records")
    latency = summary["event_to_outreach_ms"]
    shown = f"{latency['p50']} / {latency['p99']} ms"
    table.add_row("event to outreach, p50 / p99", shown, "until a read-committed subscriber has it")
    return table


def _verdict(count: int) -> Text:
    return Text("0", style="green") if count == 0 else Text(f"{count:,}", style="red")


def _goal(share: float) -> Text:
    return Text(f"{share:.1%}", style="green" if share >= GOAL else "red")


def _letter(letter: Any) -> Panel:
    head = styled(("To:      ", "dim"), f"{letter['To']}", ("\nSubject: ", "dim"), f"{letter['Subject']}\n", lines=True)
    return Panel(
        Group(head, styled(text_of(letter).strip(), lines=True)), title="one of the letters", width=92, padding=(1, 2)
    )
