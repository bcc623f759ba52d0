"""Who is told of an alert, and which alerts are silenced because they follow from others."""

from __future__ import annotations

import operator
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from streams import patience
from tests.deploy import alerting
from tests.test_docs import ROOT

CONFIG = ROOT / "deploy/alertmanager/alertmanager.yml"
ALERTS = alerting.alerts(ROOT)
Labels = Mapping[str, str]


def amtool(path: str, *words: str) -> subprocess.CompletedProcess[str]:
    """amtool, ended."""
    return subprocess.run((path, *words), capture_output=True, text=True, check=False, timeout=60)


def configuration() -> Any:
    """Alertmanager's configuration, as it is written."""
    return yaml.safe_load(CONFIG.read_text(encoding="utf-8"))


def test_the_configuration_is_one(monitoring_program: Callable[[str], str]) -> None:
    """Alertmanager's own tool reads it."""
    checked = amtool(monitoring_program("amtool"), "check-config", str(CONFIG))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_mistake_in_it_is_seen(monitoring_program: Callable[[str], str], tmp_path: Path) -> None:
    """A route to nobody is refused."""
    broken = tmp_path / "alertmanager.yml"
    broken.write_text(CONFIG.read_text(encoding="utf-8").replace("receiver: page", "receiver: nobody"))
    assert amtool(monitoring_program("amtool"), "check-config", str(broken)).returncode == 1


@pytest.mark.parametrize("severity", alerting.SEVERITIES)
def test_a_page_wakes_somebody_and_a_ticket_does_not(severity: str, monitoring_program: Callable[[str], str]) -> None:
    """Every alert of that severity goes to the receiver of that name."""
    path = monitoring_program("amtool")
    labels = [f"severity={severity}", "alertname=AnyAlert", "role=journeys", "subject=objectives"]
    command = ("config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={severity}")
    routed = amtool(path, *command, *labels)
    assert (routed.returncode, routed.stdout.strip()) == (0, severity), routed.stderr


MATCHER = re.compile(r"""\s*(\w+)\s*(=~|!~|!=|=)\s*"?([^"]*)"?\s*""")
COMPARES: Mapping[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "=~": lambda value, pattern: re.fullmatch(pattern, value) is not None,
    "!~": lambda value, pattern: re.fullmatch(pattern, value) is None,
}


def matched(matchers: Sequence[str], labels: Labels) -> bool:
    """Whether an alert has these labels. What only its series add is not known; it is taken to match."""
    for matcher in matchers:
        parts = MATCHER.fullmatch(matcher)
        assert parts is not None, matcher
        name, comparison, value = parts.groups()
        if name in labels and not COMPARES[comparison](labels[name], value):
            return False
    return True


def named(matchers: Sequence[str]) -> set[str]:
    """The alerts that matchers name."""
    parts = [MATCHER.fullmatch(one) for one in matchers]
    return {name for one in parts if one is not None and one[1] == "alertname" for name in one[3].split("|")}


def pairs() -> Iterator[tuple[alerting.Alert, alerting.Alert]]:
    """Every alert with each that it can silence."""
    for rule in configuration()["inhibit_rules"]:
        for source in ALERTS:
            if matched(rule["source_matchers"], {"alertname": source.name, **source.labels}):
                for target in ALERTS:
                    same_name = "alertname" not in rule["equal"] or source.name == target.name
                    if same_name and matched(rule["target_matchers"], {"alertname": target.name, **target.labels}):
                        yield source, target


def test_a_page_is_never_hidden_by_a_ticket() -> None:
    """Whoever has to be woken is woken."""
    found = [(source.name, target.name) for source, target in pairs()]
    assert ("KafkaAway", "ProcessorStalled") in found
    assert [
        f"{source.name} hides {target.name}"
        for source, target in pairs()
        if source.labels["severity"] == "ticket" and target.labels["severity"] == "page"
    ] == []


def test_the_cause_is_told_before_what_follows_from_it() -> None:
    """Otherwise somebody is woken twice: what is silenced takes at least as long to fire."""
    late = [
        f"{source.name} fires after {target.name}"
        for source, target in pairs()
        if source.name != target.name and source.hold > target.hold
    ]
    assert late == []


def test_every_alert_that_is_named_exists() -> None:
    """A renamed alert would silence nothing, and nobody would notice."""
    rules = configuration()["inhibit_rules"]
    matchers = [one for rule in rules for one in (*rule["source_matchers"], *rule["target_matchers"])]
    assert len(named(matchers)) > 15
    assert named(matchers) - {one.name for one in ALERTS} == set()


@pytest.fixture(scope="module")
def alertmanager(monitoring_program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Alertmanager with our configuration, which tells nobody while the tests last."""
    home = tmp_path_factory.mktemp("alertmanager")
    written = configuration()
    slow = {"group_wait": "1h", "group_interval": "1h"}
    written["route"] |= slow
    written["route"]["routes"] = [route | slow for route in written["route"]["routes"]]
    (home / "alertmanager.yml").write_text(yaml.safe_dump(written))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        monitoring_program("alertmanager"),
        f"--config.file={home / 'alertmanager.yml'}",
        f"--storage.path={home}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (home / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield f"http://{address}/api/v2"
        finally:
            process.terminate()
            process.wait(20)


def alert(written: str) -> dict[str, str]:
    """An alert as it would arrive: name, role, and labels that its series add or that choose among its rules."""
    name, role, *more = written.split()
    labels = dict(one.split("=") for one in more)
    rules = [one for one in ALERTS if one.name == name and labels.get("severity") in (None, one.labels["severity"])]
    return {"alertname": name, **rules[0].labels, "role": role, **labels}


FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "KafkaAway journeys": (
        "EventsCommitTooSlow journeys", "RoleNotReady journeys", "RoleRestarting journeys instance=j:1",
        "ProcessorStalled journeys instance=j:1", "RebalanceStorm journeys", "RecoverySlow journeys instance=j:1",
        "DeadlinesLate journeys", "TransactionsAborting journeys",
    ),
    "KafkaAway outreach": ("LettersLeaveTooLate outreach", "OutreachOverdue outreach"),
    "KafkaAway view": ("ViewBehind view", "RoleNotReady view severity=ticket"),
    "KafkaAway measure": ("MeasureBehind measure",),
    "KafkaAway gateway": ("GatewayFailing gateway",),
    "RoleAbsent journeys": ("EventsCommitTooSlow journeys", "RoleRestarting journeys instance=j:1"),
    "RoleAbsent outreach": ("LettersLeaveTooLate outreach", "RoleNotReady outreach"),
    "RoleAbsent gateway": ("GatewayFailing gateway",),
    "RoleAbsent view severity=ticket": (
        "ViewBehind view", "TasksOverdue view team=rescue", "RoleNotReady view severity=ticket",
    ),
    "RoleAbsent measure severity=ticket": ("MeasureBehind measure",),
    "PartitionStopped journeys instance=j:1": (
        "ProcessorStalled journeys instance=j:1", "RecoverySlow journeys instance=j:1",
        "RoleNotReady journeys severity=ticket instance=j:1", "RoleNotReady journeys severity=page",
    ),
    "RegistryAway journeys": ("RoleNotReady journeys severity=ticket instance=j:1",),
    "RedisAway view": ("ViewBehind view", "RoleNotReady view severity=ticket", "TasksOverdue view team=rescue"),
    "MailAway outreach": (
        "CircuitOpen outreach provider=smtp", "ProviderFailing outreach provider=smtp", "LettersLeaveTooLate outreach",
        "OutreachOverdue outreach",
    ),
    "CircuitOpen outreach provider=sms": ("ProviderFailing outreach provider=sms",),
    "PlaybookRefused journeys instance=j:1": ("PlaybooksDiffer journeys",),
    "EventsCommitTooSlow journeys window=1h": ("EventsCommitTooSlow journeys window=3d severity=ticket",),
    "CertificateExpires outreach endpoint=mail severity=page": (
        "CertificateExpires outreach endpoint=mail severity=ticket",
    ),
}  # fmt: skip
"""What a cause silences."""

STANDS: Mapping[str, tuple[str, ...]] = {
    "KafkaAway journeys": (
        "ProcessorStalled outreach instance=o:1", "LettersLeaveTooLate outreach", "DeadLetters journeys reason=x",
        "PartitionStopped journeys instance=j:1", "CertificateExpires journeys endpoint=kafka severity=page",
    ),
    "PartitionStopped journeys instance=j:1": (
        "ProcessorStalled journeys instance=j:2", "EventsCommitTooSlow journeys",
        "RoleNotReady journeys severity=ticket instance=j:2",
    ),
    "RegistryAway journeys": ("ProcessorStalled journeys instance=j:1", "RoleNotReady journeys severity=page"),
    "MailAway outreach": ("CircuitOpen outreach provider=sms", "UncertainLetters outreach channel=EMAIL"),
    "RoleAbsent view severity=ticket": ("RoleRestarting view instance=v:1",),
    "CertificateExpires outreach endpoint=mail severity=page": (
        "CertificateExpires outreach endpoint=kafka severity=ticket",
    ),
}  # fmt: skip
"""What it does not: another role's, another worker's, or worse than the cause."""


async def silenced(address: str, case: str, alerts: Sequence[Labels]) -> list[bool]:
    """Whether Alertmanager suppresses each, once it has all of them. Cases are kept apart by their roles."""
    own = [{**labels, "role": f"{labels['role']} ({case})"} for labels in alerts]
    states: list[bool] = []

    async with httpx.AsyncClient(base_url=address, timeout=20) as client:

        async def posted() -> bool:
            try:
                return (await client.post("/alerts", json=[{"labels": labels} for labels in own])).is_success
            except httpx.TransportError:
                return False

        async def taken() -> bool:
            there = (await client.get("/alerts")).json()
            state = {frozenset(one["labels"].items()): one["status"]["state"] for one in there}
            states[:] = [state.get(frozenset(labels.items())) == "suppressed" for labels in own]
            return all(frozenset(labels.items()) in state for labels in own)

        for met in (posted, taken):
            await patience.until(met, within=timedelta(seconds=60), every=timedelta(seconds=0.05))
    return states


@pytest.mark.parametrize("cause", FOLLOWS)
async def test_what_follows_from_a_cause_is_silent(cause: str, alertmanager: str) -> None:
    """Whoever is woken reads the cause, and not ten consequences of it."""
    alerts = [alert(cause), *map(alert, FOLLOWS[cause])]
    assert await silenced(alertmanager, f"{cause}, silent", alerts) == [False, *[True] * len(FOLLOWS[cause])]


@pytest.mark.parametrize("cause", STANDS)
async def test_what_does_not_follow_is_told(cause: str, alertmanager: str) -> None:
    """Another role's, another worker's, or worse than the cause: it is told."""
    alerts = [alert(cause), *map(alert, STANDS[cause])]
    assert await silenced(alertmanager, f"{cause}, told", alerts) == [False] * len(alerts)


def test_every_inhibition_is_tried() -> None:
    """Each alert that a rule of inhibition names is silenced by it on the real Alertmanager, above."""
    for rule in configuration()["inhibit_rules"]:
        tried = set()
        for cause, following in FOLLOWS.items():
            source = alert(cause)
            for target in map(alert, following):
                same = all(source.get(label) == target.get(label) for label in rule["equal"])
                if same and matched(rule["source_matchers"], source) and matched(rule["target_matchers"], target):
                    tried.add(target["alertname"])
        wanted = named(rule["target_matchers"])
        assert tried, rule
        assert wanted - tried == set(), rule
