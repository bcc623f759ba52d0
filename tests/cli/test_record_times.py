"""`careline publish` for a history: the time of each record, a check without servers, a warning of what is not kept."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.local.place import free_port
from processors.cli import app
from processors.settings import Settings
from streams.broker.choice import broker_of
from streams.broker.provision import set_up
from streams.broker.retention import Aged
from tests.live.reading import raw_records

runner = CliRunner()
OCCURRED = datetime(2013, 2, 8, 12, tzinfo=UTC)


def line(**fields: Any) -> str:
    said = {"type": "OrderDelivered", "customer_id": "anna", "source": "urn:test:shop", "order_id": "o-1"}
    return json.dumps(said | fields) + "\n"


@pytest.fixture
def live(live_env: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The running stack, its topics keeping their history."""
    for name, value in live_env.items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def forgetful(live_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The running stack, its topics as a company has them."""
    for name, value in live_env.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment(live_env)
    asyncio.run(set_up(settings))
    return settings


def stamps(settings: Settings) -> list[int]:
    return [record.timestamp for record in asyncio.run(raw_records(settings, "touchpoints"))]


@pytest.mark.live
@pytest.mark.parametrize(
    ("said", "millis"),
    [("occurred", 1360324800000), ("2013-02-08T18:00:00Z", 1360346400000), ("2013-02-08T18:00", 1360346400000)],
)
def test_a_record_has_the_time_that_was_asked_for(live: Settings, said: str, millis: int) -> None:
    """The event's own, or one for all; without a zone it is UTC. Where history is kept nothing is warned of."""
    result = runner.invoke(app, ["publish", "-", "--record-time", said], input=line(occurred_at=OCCURRED.isoformat()))
    assert result.exit_code == 0, result.output
    assert "Warning" not in result.stderr
    assert stamps(live) == [millis]


@pytest.mark.live
def test_what_the_topic_will_not_keep_is_warned_of_once(forgetful: Settings) -> None:
    """With the number, the topic, and what to do about it."""
    old = "".join(line(occurred_at=(OCCURRED + timedelta(hours=hour)).isoformat()) for hour in range(3))
    fresh = line(occurred_at=(datetime.now(UTC) - timedelta(days=3)).isoformat())
    result = runner.invoke(app, ["publish", "-", "--record-time", "occurred"], input=old + fresh)
    assert result.exit_code == 0
    assert result.stderr.count("Warning") == 1
    assert f"3 records are older than {forgetful.topic_prefix}touchpoints keeps them (30 days" in result.stderr
    assert "the oldest is of 2013-02-08" in result.stderr
    assert "careline topics apply --keep-history" in result.stderr
    result = runner.invoke(app, ["publish", "-"], input=line(occurred_at=OCCURRED.isoformat()))
    assert "Warning" not in result.stderr, "a record of now stays, whenever its event occurred"


@pytest.mark.parametrize("said", ["", "yesterday", "2013-13-01", "1360324800000"])
def test_another_time_is_refused(said: str) -> None:
    """Before anything is published."""
    result = runner.invoke(app, ["publish", "-", "--record-time", said], input=line())
    assert result.exit_code == 2
    assert "use now, occurred, or a time" in result.stderr


def test_lines_are_checked_without_a_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What would be refused is named as when it is published, and the exit code says it."""
    monkeypatch.setenv("CARELINE_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port(taken=set())}")
    file = tmp_path / "events.jsonl"
    profile = {"type": "ProfileUpdated", "customer_id": "anna", "source": "urn:crm", "event_id": str(uuid.uuid4())}
    file.write_text(line() + json.dumps(profile | {"time_zone": "Europe/Berln"}) + "\n" + line(order_id=7))
    result = runner.invoke(app, ["publish", str(file), "--dry-run"])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("1 would be published, 2 refused")
    assert "did you mean Europe/Berlin" in result.stderr
    assert "line 3: order_id" in result.stderr
    file.write_text(line())
    assert runner.invoke(app, ["publish", str(file), "--dry-run"]).exit_code == 0


async def test_a_topic_that_keeps_the_latest_of_each_key_forgets_none() -> None:
    """Nothing is counted, and no broker is asked."""
    settings = Settings()
    aged = Aged(settings, settings.topics.journeys, broker=broker_of(settings))
    aged.note(0, wall_millis=1_770_000_000_000)
    assert await aged.told(wall_millis=1_770_000_000_000) is None


async def test_without_an_answer_the_catalogue_counts() -> None:
    """A publisher that may not ask the broker for settings is warned all the same."""
    settings = Settings(kafka_bootstrap=f"127.0.0.1:{free_port(taken=set())}")
    aged = Aged(settings, settings.topics.touchpoints, broker=broker_of(settings))
    for _ in range(2712):
        aged.note(1_360_324_800_000, wall_millis=1_770_000_000_000)
    assert "2,712 records are older than" in str(await aged.told(wall_millis=1_770_000_000_000))
    assert await aged.told(wall_millis=1_770_000_000_000) is None
