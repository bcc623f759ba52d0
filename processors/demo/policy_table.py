"""Each policy's day: what it wanted, what became of it, when it was sent, and why we serve that way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from processors.policies.registry import installed
from processors.terminal import styled
from processors.view.wording import words
from streams.events import AgentTask

REASONS = {
    "below_threshold": "too short a wait to write about",
    "quiet_hours": "at night where they live",
    "no_consent": "without their consent",
    "no_address": "without an address",
    "suppressed": "with a closed address",
    "no_longer_useful": "too late to be useful",
    "frequency_cap": "over the frequency cap",
    "gave_way": "gave way to another letter",
    "unknown_time_zone": "time zone unknown",
    "merged": "merged into another customer's record",
    "holdout": "in the holdout group, to measure the effect",
    "no_alternative": "without a known alternative",
    "nothing_to_answer": "neither praise nor complaint",
    "asked_already": "asked already",
    "policy_failed": "because the policy failed",
}
PARTS = 18
"""The day's 54 hours as bars, three hours each."""

_WIDE = 90
_BARS = "▁▂▃▄▅▆▇█"


def policy_table(
    by_policy: Mapping[str, Mapping[str, Any]], over_time: Mapping[str, Sequence[int]], currency: str, *, width: int
) -> RenderableType:
    """A table of figures, one row per policy; below it, why we serve and why letters were not sent. ``width`` is in
    characters."""
    table = Table(title="By policy", title_style="bold", box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("\npolicy", style="bold", no_wrap=True)
    for name in (
        "\nwanted",
        "\nsent",
        "of these\ntasks",
        "\nheld",
        "not\nsent",
        "taken\nback",
        f"gestures\n{currency}",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    wide = width >= _WIDE
    if wide:
        table.add_column("\nsent when", style="cyan", no_wrap=True)
    lines: list[RenderableType] = []
    why = {plugin.name: plugin.policy.why["en"] for plugin in installed()}
    for name, figures in by_policy.items():
        table.add_row(
            name,
            f"{figures['wanted']:,}",
            f"{figures['sent']:,}",
            f"{figures['tasks']:,}",
            f"{sum(figures['held'].values()):,}",
            f"{figures['wanted'] - figures['sent']:,}",
            f"{figures['retracted']:,}",
            f"{Decimal(figures['gesture_cost']):,.2f}",
            *([bars(over_time.get(name, ()))] if wide else []),
        )
        lines.append(Text.assemble((name, "bold"), f": {why.get(name, '')}"))
        lines += [Padding(Text(line, style="dim"), (0, 0, 0, 2), expand=False) for line in _reasons(figures)]
    return Group(table, Text(), *lines)


def experiment_table(experiments: Mapping[str, Mapping[str, Any]]) -> Table:
    """Who met which arm, and whether the arms got their shares."""
    table = Table(title="Experiments and holdouts", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for name in ("experiment", "arm"):
        table.add_column(name, header_style="dim", no_wrap=True)
    for name in ("met", "expected", "p"):
        table.add_column(name, header_style="dim", justify="right", no_wrap=True)
    table.add_column("the shares", header_style="dim")
    for experiment, found in experiments.items():
        p_value = "" if found["p_value"] is None else f"{found['p_value']:.2g}"
        verdict = "too few to say" if found["p_value"] is None else "as expected"
        said = Text("too far off", style="red") if found["mismatch"] else Text(verdict)
        for number, (arm, counts) in enumerate(found["arms"].items()):
            of_all = (Text(experiment, style="bold"), p_value, said) if number == 0 else (Text(), "", Text())
            of_arm = (words(arm), f"{counts['exposed']:,}", f"{counts['expected']:,.1f}")
            table.add_row(of_all[0], *of_arm, *of_all[1:])
    return table


def task_panel(task: AgentTask) -> Panel:
    """One task as staff read it."""
    due = "" if task.due_at is None else f"{task.due_at:%a %d %b %H:%M} UTC"
    head = styled(
        ("To:      ", "dim"), f"{task.team}\n",
        ("Due:     ", "dim"), f"{due}\n",
        ("Subject: ", "dim"), f"{task.title}\n\n", task.text.strip(), lines=True,
    )  # fmt: skip
    return Panel(head, title="one of the tasks for staff", width=92, padding=(1, 2))


def bars(counts: Sequence[int]) -> str:
    """The counts as bars of a height in proportion, a dot for none."""
    most = max(counts, default=0)
    return "".join("·" if not count else _BARS[(count * len(_BARS) - 1) // most] for count in counts)


def _reasons(figures: Mapping[str, Any]) -> list[str]:
    refused = {REASONS.get(reason, reason.replace("_", " ")): count for reason, count in figures["suppressed"].items()}
    refused |= {
        "the reason went away while it was held": figures["dropped"],
        "still held at the end": figures["waiting"],
    }
    held = {REASONS.get(reason, reason.replace("_", " ")): count for reason, count in figures["held"].items()}
    lines = []
    if figures["escalated"]:
        lines.append(f"escalated to a person: {figures['escalated']:,}")
    for what, counts in (("held for a while", held), ("not sent", refused)):
        if said := ", ".join(f"{count:,} {reason}" for reason, count in counts.items() if count):
            lines.append(f"{what}: {said}")
    return lines
