"""Drives one fault: waits for quiet, causes it, watches the alerts, repairs it, watches until all is quiet again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.promql import seconds
from tests.drill.faults import Fault, Fires
from tests.drill.scene import Scene, waited
from tests.drill.verdict import TOLD_WITHIN, Expectation, Judgement, Wanted, judge
from tests.drill.watching import Observer

SCRAPES = 5.0
"""Seconds: a few scrapes and evaluations, a second apart, and a look at the alerts."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a drive waits, in seconds."""

    quiet_within: float = 420.0
    """For the end of what fires before the fault."""
    quiet_for: float = 4.0
    """Without an alert until it counts as quiet."""
    told_within: float = TOLD_WITHIN
    """Until Alertmanager knows of an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a drive has to know of an alert: by name and labels, its ``for`` in seconds, in our own file."""

    alert: str
    labels: Mapping[str, str]
    waits: float


def rules_in(directory: Path) -> list[Rule]:
    """The alerts of every file of rules in the directory."""
    return [
        Rule(alert=rule["alert"], labels=rule.get("labels", {}), waits=seconds(rule.get("for")))
        for file in sorted(directory.glob("*.yml"))
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def waits_of(fires: Fires, rules: list[Rule]) -> float:
    """The ``for`` of the alert, in seconds: of several rules of that name, of the one with those labels.

    Raises LookupError if there is no such alert.
    """
    named = [rule for rule in rules if rule.alert == fires.alert]
    meant = [rule for rule in named if all(fires.labels.get(key, value) == value for key, value in rule.labels.items())]
    if not meant:
        raise LookupError(f"no rule is called {fires.alert} with labels {dict(fires.labels)}")
    return min(rule.waits for rule in meant)


def expected_of(fault: Fault, rules: list[Rule], *, factor: int) -> Expectation:
    """What the fault has to do to the alerts, at this factor. Raises LookupError if an alert does not exist."""
    known = {rule.alert for rule in rules}
    if unknown := (fault.suppressed | fault.may) - known:
        raise LookupError(f"no rule is called {', '.join(sorted(unknown))}")
    wanted = tuple(
        Wanted(one.alert, one.takes + waits_of(one, rules) / factor + SCRAPES, one.labels) for one in fault.fires
    )
    return Expectation(fires=wanted, suppressed=fault.suppressed, may=fault.may)


async def quiet(observer: Observer, *, lasting: float, within: float) -> bool:
    """Wait until nothing has fired for so long; False if that takes too long."""

    def calm() -> bool:
        now = time.monotonic()
        recent = [one for one in observer.sightings if one.at > now - lasting]
        return len(recent) > 2 and not any(one.firing for one in recent)

    return await waited(calm, within=within)


async def drive(
    fault: Fault, here: Scene, observer: Observer, expected: Expectation, *, tell: Tell, pace: Pace = Pace()
) -> Judgement:
    """One fault from quiet to quiet; its verdict."""
    tell("waits for quiet")
    if not await quiet(observer, lasting=pace.quiet_for, within=pace.quiet_within):
        still = ", ".join(sorted({alert.name for alert in observer.firing}))
        return Judgement(fired={}, resolved={}, suppressed=(), also=(), failures=(f"{still} fired before the fault",))
    tell(fault.what)
    began = caused = time.monotonic()
    try:
        await fault.cause(here)
        caused = time.monotonic()

        def fired() -> bool:
            seen = [one for one in observer.sightings if one.at >= began]
            return all(any(wanted.by(one.firing) for one in seen) for wanted in expected.fires)

        def followed() -> bool:
            return expected.suppressed <= {alert.name for alert in observer.firing}

        longest = max((wanted.within for wanted in expected.fires), default=0.0)
        if await waited(fired, within=longest) and expected.suppressed:
            tell("waits for what follows from it")
            await waited(followed, within=fault.hold)
        await waited(lambda: False, within=2 * pace.told_within)  # so that Alertmanager has said what it suppresses
    finally:
        repaired = time.monotonic()
        tell("repairs it")
        await fault.repair(here)
    tell("waits until all is quiet again")
    await quiet(observer, lasting=pace.quiet_for, within=fault.settles)
    return judge(
        expected, observer.sightings, began=began, caused=caused, repaired=repaired, ended=time.monotonic(),
        told_within=pace.told_within,
    )  # fmt: skip


def row_of(name: str, fault: Fault, judged: Judgement, rules: list[Rule], **more: Any) -> dict[str, Any]:
    """The figures of one fault, as the summary keeps them."""
    alerts = {
        one.alert: {
            "for": waits_of(one, rules),
            "fired": _rounded(judged.fired.get(one.alert)),
            "resolved": _rounded(judged.resolved.get(one.alert)),
        }
        for one in fault.fires
    }
    return {
        "name": name, "what": fault.what, "alerts": alerts, "suppressed": list(judged.suppressed),
        "also": list(judged.also), "failures": list(judged.failures), **more,
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
