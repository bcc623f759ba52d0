"""What a drive saw of the alerts, and whether it is what a fault should do: pure, so that it can be tested to fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

TOLD_WITHIN = 3.0
"""Seconds until Alertmanager knows of an alert; before that nobody can say whether it is suppressed."""
BLIND = 8.0
"""Seconds without an answer of Prometheus or Alertmanager after which a drive has proved nothing."""


@dataclass(frozen=True, slots=True, order=True)
class Alert:
    """One alert of Prometheus, by its name and labels."""

    name: str
    labels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Alert:
        """From the labels as both programs tell them."""
        rest = {name: value for name, value in labels.items() if name != "alertname"}
        return cls(labels["alertname"], tuple(sorted(rest.items())))

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether it has this name and these labels, and maybe others."""
        return self.name == name and labels.items() <= dict(self.labels).items()


@dataclass(frozen=True, slots=True)
class Sighting:
    """The alerts at one moment (``at``, seconds of a monotonic clock)."""

    at: float
    firing: frozenset[Alert]
    suppressed: frozenset[Alert] = frozenset()
    """Those that Alertmanager keeps to itself, because another one says more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alert that has to fire within so many seconds of the fault."""

    name: str
    within: float
    labels: Mapping[str, str] = field(default_factory=dict)

    def by(self, alerts: Iterable[Alert]) -> list[Alert]:
        """The alerts that are meant."""
        return [alert for alert in alerts if alert.matches(self.name, self.labels)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a fault should do to the alerts. Whatever else fires is a mistake."""

    fires: tuple[Wanted, ...] = ()
    suppressed: frozenset[str] = frozenset()
    """Fire too, but notify nobody while those that have to fire do."""
    may: frozenset[str] = frozenset()
    """Consequences that may fire, depending on how long the repair takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of a fault: seconds by alert, and what was wrong."""

    fired: Mapping[str, float]
    """Seconds from the fault until each wanted alert fired; 0 if that was while it was being caused."""
    resolved: Mapping[str, float]
    """Seconds from the repair until each wanted alert had ended."""
    suppressed: tuple[str, ...]
    also: tuple[str, ...]
    """Permitted consequences that did fire."""
    failures: tuple[str, ...]


def judge(
    expected: Expectation,
    sightings: Sequence[Sighting],
    *,
    began: float,
    caused: float | None = None,
    repaired: float,
    ended: float,
    told_within: float = TOLD_WITHIN,
) -> Judgement:
    """Compare what was seen between ``began`` and ``ended`` with what was expected.

    ``caused``: when the fault was there, if it took a while; seconds to fire are counted from then.
    """
    there = began if caused is None else caused
    seen = [one for one in sightings if began <= one.at <= ended]
    failures = _blind(seen, began, ended)
    fired: dict[str, float] = {}
    resolved: dict[str, float] = {}
    everything = {alert for one in seen for alert in one.firing}
    for wanted in expected.fires:
        at = next((one.at for one in seen if wanted.by(one.firing)), None)
        if at is None or at > repaired:
            failures.append(f"{wanted.name} did not fire before the repair, {repaired - there:.0f} s after the fault")
            continue
        fired[wanted.name] = after = max(0.0, at - there)
        if after > wanted.within:
            failures.append(f"{wanted.name} fired after {after:.1f} s, later than {wanted.within:.1f} s")
        if not any(set(wanted.by(one.firing)) - one.suppressed for one in seen if one.at >= at + told_within):
            failures.append(f"{wanted.name} was suppressed all the time, so nobody was told")
        last = max(one.at for one in seen if wanted.by(one.firing))
        over = next((one.at for one in seen if one.at > last), None)
        if over is not None:
            resolved[wanted.name] = max(0.0, over - repaired)
    held = [name for name in sorted(expected.suppressed) if any(alert.name == name for alert in everything)]
    failures += [f"{name} did not fire, so it shows no inhibition" for name in sorted(expected.suppressed - {*held})]
    for name in held:
        failures += _notified(name, expected, seen, until=repaired, told_within=told_within)
    names = {wanted.name for wanted in expected.fires} | expected.suppressed
    others = sorted({alert.name for alert in everything if alert.name not in names})
    failures += [f"{name} fired, which has nothing to do with it" for name in others if name not in expected.may]
    for alert in sorted(seen[-1].firing if seen else ()):
        failures.append(f"{alert.name} did not resolve within {ended - repaired:.0f} s of the repair")
    also = tuple(one for one in others if one in expected.may)
    return Judgement(
        fired=fired, resolved=resolved, suppressed=tuple(held), also=also, failures=tuple(dict.fromkeys(failures))
    )


def _blind(seen: Sequence[Sighting], began: float, ended: float) -> list[str]:
    moments = [began, *(one.at for one in seen), ended]
    gap = max(later - earlier for earlier, later in pairwise(moments))
    return [f"nothing was seen for {gap:.0f} s"] if gap > BLIND else []


def _notified(
    name: str, expected: Expectation, seen: Sequence[Sighting], *, until: float, told_within: float
) -> list[str]:
    """Whether the alert was told to somebody although one that has to fire fired, up to the repair."""
    since: dict[Alert, float] = {}
    for one in seen:
        if one.at > until:
            break
        for alert in one.firing:
            since.setdefault(alert, one.at)
        sources = [wanted for wanted in expected.fires if wanted.by(one.firing)]
        for alert in one.firing - one.suppressed:
            old = one.at - since[alert] > told_within
            if alert.name == name and sources and old:
                return [f"{name} was not suppressed although {sources[0].name} fired"]
    return []
