"""What is wrong with a set of rules, runbooks and their promtool tests: one line for each fault, [] if there is none.

Every check takes the folder that holds ``deploy/``, ``docs/runbooks/`` and ``tests/deploy/rules/``, so that a mistake
can be planted in a copy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.promql import durations, literals, named, seconds, selectors

RULES = "deploy/prometheus/rules"
RUNBOOKS = "docs/runbooks"
CASES = "tests/deploy/rules"

SECTIONS = ("What it means", "Who is hurt", "Where to look", "What to do", "When to wake whom")
SEVERITIES = ("page", "ticket")
DASHBOARDS = (
    "careline-glance", "careline-journeys", "careline-outreach", "careline-dead-letters", "careline-view",
    "careline-processes",
)  # fmt: skip
LINK = re.compile(r"""\{\{ or \$externalLabels\.runbooks "docs/runbooks" \}\}/(\w+)\.md""")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*(%|MiB|[a-z]+)?")
_SPELT = re.compile(
    r"\b(?:one|two|three|four|five|ten|half|an?) (?:seconds?|minutes?|hours?|days?|weeks?|percent)\b", re.IGNORECASE
)
_UNITS = {"%": 0.01, "MiB": 1024.0 * 1024, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0} | {
    unit + plural: size
    for unit, size in {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}.items()
    for plural in ("", "s")
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule. ``hold``: its ``for``, in seconds."""

    name: str
    expr: str
    hold: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def text(self) -> str:
        """What a person reads of it, without what Prometheus fills in."""
        return _TEMPLATE.sub("", f"{self.annotations.get('summary', '')} {self.annotations.get('description', '')}")


def rules(root: Path) -> list[dict[str, Any]]:
    """Every rule of every file."""
    files = [_loaded(file) for file in sorted((root / RULES).glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def _loaded(file: Path) -> Any:
    # the loader in C: the files with cases are long
    return yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def alerts(root: Path) -> list[Alert]:
    """Every alerting rule; several may have the same name."""
    return [
        Alert(one["alert"], one["expr"], seconds(one.get("for")), one["labels"], one["annotations"])
        for one in rules(root)
        if "alert" in one
    ]


def recorded(root: Path) -> dict[str, str]:
    """Expressions by the name under which they are recorded; those of one name joined."""
    found: dict[str, str] = {}
    for rule in rules(root):
        if "record" in rule:
            found[rule["record"]] = "\n".join(filter(None, (found.get(rule["record"]), rule["expr"])))
    return found


def unwritten(root: Path) -> list[str]:
    """Alerts without the labels and annotations that all have."""
    faults = []
    for alert in alerts(root):
        if alert.labels.get("severity") not in SEVERITIES:
            faults.append(f"{alert.name}: severity is not one of {', '.join(SEVERITIES)}")
        if "subject" not in alert.labels:
            faults.append(f"{alert.name}: no subject")
        if alert.annotations.get("dashboard") not in DASHBOARDS:
            faults.append(f"{alert.name}: dashboard is not one of {', '.join(DASHBOARDS)}")
        faults += [f"{alert.name}: no {name}" for name in ("summary", "description") if not alert.annotations.get(name)]
    return faults


def disagreements(root: Path) -> list[str]:
    """Numbers in an alert's text that are not in its expression or its ``for``; thresholds and ``for`` that its text
    does not say."""
    faults, known = [], recorded(root)
    for alert in alerts(root):
        said, meant = list(quantities(alert.text)), list(_numbers(alert.expr, known))
        faults += [
            f"{alert.name}: {text!r} is not in its rule"
            for text, value in said
            if not _among(value, [*meant, alert.hold])
        ]
        if alert.hold and not _among(alert.hold, [value for _, value in said]):
            faults.append(f"{alert.name}: its text does not say for {alert.hold:g} s")
        for threshold in literals(alert.expr, compared=True):
            if threshold and not _among(threshold, _products([value for _, value in said])):
                faults.append(f"{alert.name}: its text does not say {threshold:g}")
        faults += [
            f"{alert.name}: {words!r} has to be in digits" for words in _SPELT.findall(alert.annotations["description"])
        ]
    return faults


def quantities(text: str) -> Iterator[tuple[str, float]]:
    """Every number of a text as it is written, and its value: percent as a fraction, times in seconds."""
    for match in _QUANTITY.finditer(re.sub(r"\b\d+xx\b", "", text)):
        yield match[0].strip(), float(match[1]) * _UNITS.get(match[2] or "", 1.0)


def _numbers(expr: str, known: Mapping[str, str]) -> Iterator[float]:
    yield from literals(expr)
    yield from durations(expr)
    for name in named(expr):
        if name in known:
            yield from _numbers(known[name], known)


def _among(value: float, others: list[float]) -> bool:
    return any(math.isclose(value, other, rel_tol=1e-9) for other in others)


def _products(values: list[float]) -> list[float]:
    # "14.4 times the 1 %" says 0.144
    return [*values, *(one * other for one in values for other in values)]


def lost_runbooks(root: Path) -> list[str]:
    """Alerts whose link names no runbook, runbooks of no alert, and runbooks without one of the sections."""
    faults, linked = [], set()
    for alert in alerts(root):
        link = LINK.fullmatch(alert.annotations.get("runbook_url", ""))
        if link is None or link[1] != alert.name:
            faults.append(f"{alert.name}: its runbook_url is not that of its runbook")
        elif not (root / RUNBOOKS / f"{link[1]}.md").is_file():
            faults.append(f"{alert.name}: there is no {RUNBOOKS}/{link[1]}.md")
        linked.add(alert.name)
    for page in sorted((root / RUNBOOKS).glob("[A-Z]*.md")):
        text = page.read_text(encoding="utf-8")
        if page.stem not in linked:
            faults.append(f"{page.name}: there is no such alert")
        if tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) != SECTIONS:
            faults.append(f"{page.name}: its sections are not {', '.join(SECTIONS)}")
        faults += [
            f"{page.name}: {part!r} is empty" for part in re.findall(r"^## (.*)\n+(?=## |\Z)", text, re.MULTILINE)
        ]
    return faults


Values = frozenset[str] | None
"""What a label may say; None if that is not known beforehand."""


def unknown_metrics(root: Path, metrics: Mapping[str, Mapping[str, Values]]) -> list[str]:
    """Metrics in rules and in the queries of runbooks that nothing exposes or records; and labels, or values of labels,
    that they do not have.

    ``metrics``: the labels of each by its name, without those that a target adds."""
    known, faults = recorded(root), []
    for where, expr in _expressions(root):
        for name, labels in selectors(expr):
            if name in known:
                continue
            if name not in metrics:
                faults.append(f"{where}: nothing exposes {name}")
                continue
            for label, value in labels.items():
                if label not in metrics[name] and label not in TARGET:
                    faults.append(f"{where}: {name} has no label {label}")
                faults += [
                    f"{where}: {label} of {name} is never {one}" for one in _never(value, metrics[name].get(label))
                ]
    return faults


TARGET = ("job", "role", "instance")


def _never(pattern: str, values: Values) -> set[str]:
    # a pattern that is more than alternatives is not looked into
    return set() if values is None or not re.fullmatch(r"[\w|-]+", pattern) else set(pattern.split("|")) - values


def _expressions(root: Path) -> Iterator[tuple[str, str]]:
    for rule in rules(root):
        yield rule.get("alert") or rule["record"], rule["expr"]
    for page in sorted((root / RUNBOOKS).glob("[A-Z]*.md")):
        for block in re.findall(r"^```promql\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                yield page.name, line.partition("#")[0]


KINDS = {
    "fires": "an expected alert",
    "resolves": "a later time in the same test without it",
    "stays quiet": "a test of that name without it",
    "idle": "a test of that name without it",
    "vanished": "a test of that name",
}
"""What promtool has to try of every alert, and how it is recognised."""


def untried(root: Path) -> list[str]:
    """What promtool's tests leave out: kinds of cases by alert, and rules that never fire."""
    tried: set[tuple[str, str]] = set()
    fired: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for file in sorted((root / CASES).glob("*.yml")):
        for test in _loaded(file)["tests"]:
            began: set[str] = set()
            for check in test["alert_rule_test"]:
                name, expected = check["alertname"], check["exp_alerts"]
                tried |= {(name, kind) for kind in ("idle", "stays quiet") if kind in test["name"] and not expected}
                tried |= {(name, "vanished")} if "vanished" in test["name"] else set()
                tried |= {(name, "fires")} if expected else set()
                tried |= {(name, "resolves")} if name in began and not expected else set()
                began |= {name} if expected else set()
                fired |= {(name, frozenset(one["exp_labels"].items())) for one in expected}
    faults = []
    for name in sorted({alert.name for alert in alerts(root)}):
        faults += [f"{name}: promtool does not try that it {kind}" for kind in KINDS if (name, kind) not in tried]
    for alert in alerts(root):
        if not any(name == alert.name and frozenset(alert.labels.items()) <= labels for name, labels in fired):
            faults.append(f"{alert.name}: promtool does not see it fire with {dict(alert.labels)}")
    return faults
