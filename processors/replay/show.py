"""A replay's report for a person: what differs first, then policy by policy, hour by hour, customer by customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from processors.replay.recorded import Decided
from processors.replay.report import Report
from processors.terminal import Grid, Screen
from streams.clock import from_millis
from streams.events import Decision

_FIGURES = {"send": "sent", "escalate": "escalated", "hold": "held", "suppress": "suppressed", "retract": "retracted"}
_DAY = 24  # hours; of a longer time only those are shown that differ
_SIDES = ("recorded", "replayed", "difference")


def show(report: Report, console: Screen, *, most: int) -> None:
    """Print it; of the customers who differ at most so many are named."""
    _say(console, f"From {_time(report.since)} to {_time(report.until)}, under playbook {report.playbook}.")
    tally = report.tally
    dead = tally.dead_letters.total()
    _say(
        console,
        f"{tally.records:,} touchpoints read: {tally.folded:,} folded, {tally.duplicates:,} repeated, "
        f"{tally.passed_over:,} of erased customers, {tally.misplaced:,} forwarded, {dead:,} unreadable; "
        f"{tally.timers:,} deadlines fired.",
    )
    _verdict(report, console)
    _warnings(report, console)
    console.print()
    console.grid(_policies(report))
    data = report.as_data()
    for title, hours in (("sent to customers", data["sends_per_hour"]), ("tasks", data["tasks_per_hour"])):
        if hours:
            grid = Grid((f"{title}, hour from (UTC)", *_SIDES), right=_SIDES)
            told = hours if len(hours) <= _DAY else {hour: counts for hour, counts in hours.items() if _differs(counts)}
            for hour, counts in told.items():
                grid.add(hour.replace("T", " ").removesuffix("Z"), *_row(counts["recorded"], counts["replayed"]))
            console.print()
            if told:
                console.grid(grid)
            if alike := len(hours) - len(told):
                _say(console, f"{title}: the same in {alike:,} of {len(hours):,} hours with any; all with --json.")
    _customers(report, console, most=most)


def _differs(counts: Mapping[str, int]) -> bool:
    return counts["recorded"] != counts["replayed"]


def _verdict(report: Report, console: Screen) -> None:
    found = report.difference
    if found.reworded:
        _say(console, f"{found.reworded:,} decisions are the same but explained in other words, by another version.")
    if not found:
        _say(console, f"Nothing differs: all {len(found.same):,} decisions are the same.", style="bold green")
        return
    _say(
        console,
        f"{len(found.same):,} decisions are the same; {len(found.changed):,} say something else, "
        f"{len(found.only_recorded):,} would not be made, {len(found.only_replayed):,} would be new. "
        f"{len(found.customers):,} customers are concerned; {len(found.hear_otherwise()):,} would hear otherwise.",
        style="bold yellow",
    )


def _warnings(report: Report, console: Screen) -> None:
    others = {version: counts for version, counts in report.versions().items() if version != report.playbook}
    for version, counts in others.items():
        _say(
            console,
            f"{sum(counts.values()):,} decisions were made under playbook {version}; of them {counts['same']:,} are "
            f"the same, {counts['changed']:,} say something else, {counts['only_recorded']:,} would not be made.",
        )
    aside = report.set_aside
    if aside.customers:
        _warn(
            console,
            f"{len(aside.customers):,} customers are left out ({aside.recorded:,} decisions on record, "
            f"{aside.replayed:,} replayed): their oldest touchpoints are no longer kept.",
        )
    if (reached := from_millis(report.reached)) < report.until:
        _warn(console, f"The journeys role is behind: it has decided up to {_time(reached)}, and no further.")
    if report.letters_lost:
        _warn(console, f"{report.letters_lost:,} recorded letters are no longer kept: their gestures are not counted.")
    if report.tally.moved:
        _say(console, f"{report.tally.moved:,} touchpoints were handled at another time than their own, as recorded.")
    if report.recorded_twice != report.replayed_twice:
        twice, expected = report.recorded_twice, report.replayed_twice
        _warn(console, f"{twice:,} decisions are on record more than once, where {expected:,} should be.")


def _policies(report: Report) -> Grid:
    grid = Grid(("policy", "", *_SIDES), rigid=("policy", ""), right=_SIDES)
    for policy, sides in report.by_policy().items():
        recorded, replayed = sides["recorded"], sides["replayed"]
        grid.add((policy, "bold"), "wanted", *_row(recorded["wanted"], replayed["wanted"]))
        for kind in (one for one in recorded | replayed if one not in ("wanted", "gesture_cost")):
            before, after = recorded.get(kind, {}), replayed.get(kind, {})
            for reason in sorted(before.keys() | after.keys()):
                name = _FIGURES.get(kind, kind)
                label = name if reason == "wanted" else f"{name}: {reason}"
                grid.add("", label, *_row(before.get(reason, 0), after.get(reason, 0)))
        for currency in sorted(recorded["gesture_cost"].keys() | replayed["gesture_cost"].keys()):
            was, would = (side["gesture_cost"].get(currency, "0.00") for side in (recorded, replayed))
            change = Decimal(would) - Decimal(was)
            grid.add("", f"gestures, {currency}", was, would, f"{change:+}" if change else "")
    return grid


def _customers(report: Report, console: Screen, *, most: int) -> None:
    otherwise = sorted(report.difference.hear_otherwise())
    if not otherwise or not most:
        return
    console.print()
    shown = otherwise[:most]
    named = "all" if len(shown) == len(otherwise) else f"{len(shown)} of {len(otherwise):,}, all with --json"
    _say(console, f"Who would hear otherwise ({named}):", style="bold")
    sends: dict[str, list[tuple[str, Decided]]] = {}
    for mark, decided in (("-", report.difference.recorded), ("+", report.difference.replayed)):
        for one in decided:
            if one.reaches and not one.is_task:
                sends.setdefault(one.decision.customer_id, []).append((mark, one))
    for customer in shown:
        _say(console, f"  {customer}")
        said = [(mark, _line(one)) for mark, one in sends.get(customer, ())]
        for mark, line in sorted(said, key=lambda pair: (pair[1], pair[0] == "+")):
            if ("+" if mark == "-" else "-", line) not in said:
                _say(console, f"    {mark} {line}", style="green" if mark == "+" else "red")


def _line(one: Decided) -> str:
    decision: Decision = one.decision
    gesture = None if one.request is None else one.request.gesture
    gift = "" if gesture is None else f" with {gesture.code} ({gesture.cost} {gesture.currency})"
    channel = "" if decision.channel is None else f" by {decision.channel.lower()}"
    return f"{_time(decision.decided_at)}  {decision.policy} {decision.occasion}{channel}{gift}, {decision.journey_id}"


def _row(recorded: int, replayed: int) -> tuple[str, str, str]:
    change = replayed - recorded
    return f"{recorded:,}", f"{replayed:,}", f"{change:+,}" if change else ""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _warn(console: Screen, text: str) -> None:
    _say(console, text, style="yellow")


def _say(console: Screen, text: str, *, style: str | None = None) -> None:
    indent = len(text) - len(text.lstrip(" "))
    console.tell(text.lstrip(" "), style=style or "", indent=indent)
