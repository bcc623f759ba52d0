"""`careline experiments`: how many customers met each arm, and whether the arms got their shares."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from processors.cli.exits import Exit, explained
from processors.measure.sample_ratio import SampleRatio, sample_ratio
from processors.settings import Settings
from processors.terminal import Grid, Screen, say, say_json
from streams.events import ExperimentExposed
from streams.subscribing.subscriber import Subscriber

_WARNING = "sample ratio mismatch: do not trust this experiment"


def experiments(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Count the exposures of every experiment and holdout by arm, and check that the arms got their shares.

    The check is a chi-squared test against the shares in force at each exposure. A p-value below 0.001 means that
    something loses or favours an arm, so the arms cannot be compared. If there are too few exposures, it says so.

    Exit codes: 0 no mismatch (or nothing to check), 1 a sample ratio mismatch, 2 a setting is wrong, 3 a server or the
    topic is not there.

    Example: careline experiments --json
    """
    with explained():
        found = sample_ratio(asyncio.run(_exposures(Settings.from_environment())))
    if as_json:
        say_json([as_data(one) for one in found])
    elif found:
        _show(found)
    else:
        say("No exposures: no customer has met an experiment or a holdout yet.")
    if any(one.mismatch for one in found):
        raise typer.Exit(Exit.FAILED)


async def _exposures(settings: Settings) -> list[ExperimentExposed]:
    async with Subscriber(settings, settings.topics.exposures.name, until_end=True) as topic:
        return [one.record async for one in topic if isinstance(one.record, ExperimentExposed)]


def verdict(one: SampleRatio) -> str:
    """In words, what the check came to."""
    if one.impossible:
        return f"{_WARNING} (exposed without a share: {', '.join(one.impossible)})"
    if one.mismatch:
        return _WARNING
    if one.p_value is None:
        return "only one arm" if len(one.arms) == 1 else "too few exposures to say"
    return "as it should be"


def as_data(one: SampleRatio) -> dict[str, Any]:
    """For programs. Expected numbers have fractions: they are sums of shares."""
    return {
        "experiment": one.experiment,
        "exposures": one.exposures,
        "arms": [{"arm": arm.name, "exposed": arm.exposed, "expected": round(arm.expected, 3)} for arm in one.arms],
        "chi_squared": one.chi_squared,
        "p_value": one.p_value,
        "mismatch": one.mismatch,
        "verdict": verdict(one),
        "repeated": one.repeated,
        "moved_between_arms": one.moved,
        "without_shares": one.without_shares,
    }


def _show(found: tuple[SampleRatio, ...]) -> None:
    columns = ("experiment", "arm", "exposed", "expected", "p", "")
    grid = Grid(columns, rigid=("experiment", "arm", "p"), right=("exposed", "expected"))
    for one in found:
        p_value = "" if one.p_value is None else f"{one.p_value:.2g}"
        said = (verdict(one), "red" if one.mismatch else "")
        for number, arm in enumerate(one.arms):
            first = number == 0
            name, p, words = (one.experiment, p_value, said) if first else ("", "", "")
            grid.add(name, arm.name, f"{arm.exposed:,}", f"{arm.expected:,.1f}", p, words)
    Screen().grid(grid)
    for one in found:
        if one.moved:
            say(
                f"{one.experiment}: {one.moved} exposures name a different arm than the first one of their unit",
                err=True,
            )
        if one.without_shares:
            say(f"{one.experiment}: {one.without_shares} exposures name no shares and are left out", err=True)
