"""What operators look at, asked of a real Prometheus that scrapes really running roles: it answers."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from deploy.grafana.boards import DASHBOARDS
from deploy.grafana.draw.__main__ import main
from deploy.local.place import free_port
from processors.settings import Settings
from streams import Publisher, events
from tests.deploy.alerting import recorded, rules
from tests.deploy.expressions import filled
from tests.deploy.promql import named
from tests.live.reading import records, until
from tests.live.roles import Role
from tests.live.watching import Watching
from tests.live.writing import writer
from tests.outreach.given import VARIABLES, outreach_id, request
from tests.outreach.servers import SECRET
from tests.test_docs import ROOT

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

WITHIN = 90.0
ROLES = ("journeys", "outreach", "view", "measure", "gateway")

NEEDS_A_FAULT = {
    "ALERTS": "an alert that is pending or firing",
    "careline_certificate_expiry_timestamp_seconds": "servers that are reached by TLS",
    "careline_contract_violations_total": "a publisher that breaks the contract",
    'careline_decisions_total{kind="ESCALATE"}': "a customer whom a person has to help",
    'careline_decisions_total{kind="HOLD"}': "a letter at night",
    'careline_decisions_total{kind="SUPPRESS"}': "a letter too many",
    'careline_decisions_total{kind="RETRACT"}': "a letter that is no longer true",
    'careline_decisions_total{kind!~"SEND|ESCALATE"}': "one of these",
    "careline_dead_letters_total": "a record that cannot be used",
    "careline_events_published_total": "a publishing service that serves its metrics",
    "careline_events_refused_total": "a service that builds events that break the contract",
    "careline_http_connections_closed_total": "more connections than are provided for",
    "careline_measure_skipped_total": "a record that cannot be used",
    "careline_outreach_failures_total": "a letter that ends without being sent",
    "careline_outreach_provider_errors_total": "a provider that refuses",
    "careline_playbook_reloads_total": "a playbook file that is changed while roles run",
    "careline_processor_partitions_stopped": "a partition whose records cannot be read",
    "careline_processor_isolations_total": "a record that the contract allows and the core cannot handle",
    "careline_unknown_time_zones_total": "a service that does not use our publisher",
    "careline_view_skipped_total": "a record that cannot be used",
}
"""Series that a healthy system need not have, with what makes them; the drive of faults (tests/chaos) makes faults."""


@pytest.fixture(scope="module")
async def watched(
    module_settings: Settings,
    module_role_env: dict[str, str],
    monitoring_program: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Watching]:
    """Five roles with some hundred touchpoints behind them, letters, an opt-out and reports, and their Prometheus."""
    port = free_port(taken=set())
    base = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        watching = Watching(monitoring_program("prometheus"), tmp_path_factory.mktemp("prometheus"))
        await stack.enter_async_context(watching)
        env = module_role_env | {
            "CARELINE_OPS_TARGETS": str(watching.targets),
            "CARELINE_PUBLIC_URL": base,
            "CARELINE_LINK_SECRET": "a secret of this test",
            "CARELINE_CALLBACK_SECRET": SECRET,
            "CARELINE_GATEWAY_PORT": str(port),
        }
        for name in ROLES:
            await stack.enter_async_context(Role(name, env))
        await asyncio.sleep(3)  # a counter's first value, so that what comes now is growth
        await _a_day(module_settings, base)
        yield watching


async def _a_day(settings: Settings, base: str) -> None:
    """Delays and answers of passengers and the letters that they lead to, a task, an opt-out, reports on letters."""
    now = datetime.now(UTC).replace(microsecond=0)
    topics = settings.topics
    for wave in (range(5), range(5, 45)):  # rates are of counters that were there before
        async with Publisher(settings) as publisher:
            for number in wave:
                for event in _touchpoints(f"passenger-{number}", now):
                    await publisher.publish(event)
        letters = await until(
            lambda: _wanted(settings), lambda found, wave=wave: len(found) >= len(wave), within=WITHIN
        )
        await asyncio.sleep(3)
    async with writer(settings) as topic:
        team = events.Address(channel=events.OutreachChannel.AGENT_TASK, address="rescue")
        await topic.write((topics.outreach, _task(team, now)))
    async with httpx.AsyncClient(base_url=base) as client:
        kinds = ("DELIVERED", "BOUNCED", "COMPLAINED", "UNSUBSCRIBED", "REDEEMED")
        for letter, kind in zip(letters, kinds, strict=False):
            said = (
                f'{{"outreach_id": "{letter.outreach_id}", "customer_id": "{letter.customer_id}", "channel": "EMAIL", '
                f'"kind": "{kind}"}}'
            )
            sent, call = datetime.now(UTC), f"m-{kind}"
            headers = {
                "webhook-id": call,
                "webhook-timestamp": str(int(sent.timestamp())),
                "webhook-signature": Webhook(SECRET).sign(call, sent, said),
            }
            assert (await client.post("/callbacks/outcomes", content=said, headers=headers)).status_code == 202


async def _wanted(settings: Settings) -> list[events.Decision]:
    """The letters about delays that the journeys role has decided to send."""
    return [
        one
        for one in await records(settings, "decisions")
        if one.kind is events.DecisionKind.SEND and one.policy == "delay_care"
    ]


def _touchpoints(customer: str, now: datetime) -> Iterable[Any]:
    basis: dict[str, Any] = {"customer_id": customer, "occurred_at": now, "source": "urn:test:airline"}
    yield events.ProfileUpdated(
        event_id=str(uuid.uuid4()), **basis, name="Ana", locale="en-US", time_zone="America/New_York",
        addresses=(events.Address(channel=events.OutreachChannel.EMAIL, address=f"{customer}@mail.example"),),
    )  # fmt: skip
    yield events.ConsentChanged(
        event_id=str(uuid.uuid4()), **basis, channel=events.OutreachChannel.EMAIL, purpose=events.Purpose.MARKETING,
        status=events.ConsentStatus.GRANTED,
    )  # fmt: skip
    yield events.DelayNoticed(
        event_id=str(uuid.uuid4()), **basis, subject_kind="flight", subject_id="F1", description="flight F 1",
        promised_at=now + timedelta(hours=1), expected_at=now + timedelta(hours=4),
    )  # fmt: skip
    yield events.FeedbackGiven(
        event_id=str(uuid.uuid4()), **basis, feedback_id=f"f-{customer}", kind=events.FeedbackKind.CSAT, score=1,
    )  # fmt: skip


def _task(team: events.Address, now: datetime) -> events.OutreachRequested:
    """A task for staff whose time has passed already."""
    return request(
        outreach_id=outreach_id(50), customer_id="passenger-50", requested_at=now, addresses=(team,),
        variables=VARIABLES, useful_until=now + timedelta(hours=1), due_at=now - timedelta(minutes=1), escalation=True,
    )  # fmt: skip


def excused(expr: str) -> bool:
    """Whether it reads a series that a healthy system does not have."""
    selected = any(series in expr for series in NEEDS_A_FAULT if "{" in series)
    return selected or bool(named(expr) & set(NEEDS_A_FAULT))


async def silent(watching: Watching, exprs: Iterable[str]) -> list[str]:
    """Those that return nothing, also after some time."""
    left = list(dict.fromkeys(exprs))
    ends = time.monotonic() + WITHIN
    while left and time.monotonic() < ends:
        left = [expr for expr in left if not await watching.ask(expr)]
        await asyncio.sleep(1)
    return left


async def test_every_panel_has_something_to_show(watched: Watching) -> None:
    """Each expression of each dashboard returns series, but for those that need a fault."""
    exprs = [filled(query.expr) for board in DASHBOARDS for panel in board.panels for query in panel.queries]
    for expr in exprs:
        await watched.ask(expr)
    healthy = [expr for expr in exprs if not excused(expr)]
    assert len(healthy) > len(exprs) / 3
    assert await silent(watched, healthy) == []


async def test_every_series_that_is_looked_at_is_there(watched: Watching) -> None:
    """A metric inside an expression that would return something without it, too."""
    looked_at = {
        name for board in DASHBOARDS for panel in board.panels for query in panel.queries for name in named(query.expr)
    }
    assert looked_at - await watched.names() - set(NEEDS_A_FAULT) == set()


async def test_rules_and_alerts_are_of_series_that_there_are(watched: Watching) -> None:
    """Each expression of the rules is answered, and what it reads is there, but for what needs a fault."""
    names = await watched.names() | set(recorded(ROOT))
    for rule in rules(ROOT):
        await watched.ask(rule["expr"])
        missing = named(rule["expr"]) - names - set(NEEDS_A_FAULT)
        assert missing == set(), rule.get("alert", rule.get("record"))


async def test_the_dashboards_can_be_drawn(watched: Watching, tmp_path: Path) -> None:
    """One command makes a picture of each, and says so in one line if there is no Prometheus."""
    words = ["--last", "10m", "--scrape", "1s", "--out", str(tmp_path)]
    assert await asyncio.to_thread(main, ["--prometheus", watched.url, *words]) == 0
    pictures = await asyncio.to_thread(_read, tmp_path)
    assert set(pictures) == {f"dashboard-{board.uid.removeprefix('careline-')}" for board in DASHBOARDS}
    assert "DelayNoticed" in pictures["dashboard-journeys"]
    assert await asyncio.to_thread(main, ["--prometheus", "http://127.0.0.1:9", *words]) == 1


def _read(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text(encoding="utf-8") for file in folder.iterdir()}
