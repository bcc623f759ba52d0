"""`careline replay` and `careline experiments` at a terminal: what they refuse, and what they print."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from deploy.local.place import free_port
from processors.cli import app
from processors.replay import Report
from processors.replay.show import show
from processors.terminal import Screen
from streams.config import Settings
from streams.events import ExperimentExposed
from tests.journey.given import at, delay
from tests.live.writing import writer
from tests.replay.test_replay import patient, stormy

runner = CliRunner()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> str:
    """Servers that are not there."""
    address = f"127.0.0.1:{free_port(taken=set())}"
    monkeypatch.setenv("CARELINE_KAFKA_BOOTSTRAP", address)
    monkeypatch.setenv("CARELINE_REGISTRY_URL", f"http://{address}")
    return address


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "yesterday", "--to", "2013-02-09"], "--from: 'yesterday' is not a time"),
        (["--from", "2013-02-08", "--to", "2013-02-30"], "--to: '2013-02-30' is not a time"),
        (["--from", "2013-02-09", "--to", "2013-02-09T00:00Z"], "--to: 2013-02-09T00:00Z is not later than"),
        (["--from", "2013-02-08", "--to", "2013-02-09", "--playbook", "/none.yaml"], "/none.yaml"),
        (["--from", "2013-02-08", "--to", "2013-02-09", "--out", "/none/report.json"], "--out: cannot write"),
    ],
)
def test_a_wrong_call_names_its_option(closed: str, words: list[str], said: str) -> None:
    """Exit code 2, before any server is asked."""
    result = runner.invoke(app, ["replay", *words])
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("words", ["replay --from 2013-02-08 --to 2013-02-09T01:00+01:00", "experiments"])
def test_servers_that_are_not_there_are_named(closed: str, words: str) -> None:
    """Exit code 3: trying again later may help."""
    result = runner.invoke(app, words.split())
    assert result.exit_code == 3
    assert closed in result.stderr


def printed(report: Report, *, most: int = 10) -> str:
    """The report as a person sees it."""
    console = Screen(file=io.StringIO(), width=160)
    show(report, console, most=most)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_a_person_sees_that_nothing_differs() -> None:
    """In one line; then the figures, side by side."""
    text = printed(await (await stormy()).replayed())
    assert "Nothing differs: all 5 decisions are the same." in text
    assert "sent" in text
    assert "held: quiet_hours" in text
    assert "16.00" in text
    assert "2026-02-09 18:00" in text
    assert "written to differently" not in text


async def test_a_person_sees_who_would_hear_otherwise() -> None:
    """By name: what they heard, and what they would."""
    today = await stormy()
    report = await today.replayed(playbook=patient())
    text = printed(report)
    assert "2 would not be made, 2 would be new. 1 customers are affected; 1 would be written to differently." in text
    assert "5 decisions were made under playbook test; of them 2 are the same, 1 would differ" in text
    lines = [line.strip() for line in text.splitlines()]
    assert [line[:53] for line in lines if line.startswith(("- ", "+ "))] == [
        "- 2026-02-09 12:00:00 UTC  delay_care notice by email",
        "- 2026-02-09 13:00:00 UTC  delay_care gesture-1 by em",
        "+ 2026-02-09 13:00:00 UTC  delay_care notice by email",
    ]
    assert "-4.00" in text
    assert "ana" not in printed(report, most=0)


async def test_a_person_is_told_what_the_comparison_leaves_out() -> None:
    """Customers whose past is gone, and a role that is behind."""
    today = await stormy()
    today.publish(delay(at("21:00"), minutes=200, subject="UA9", promised=at("22:00")))
    today.source.forget_before(0, 1)
    text = printed(await today.replayed())
    assert "1 customers are left out (3 decisions on record, 1 replayed): their oldest touchpoints" in text
    assert "The journeys role is behind: it has decided only up to 2026-02-09 20:30:00 UTC." in text


def exposure(number: int, arm: str) -> ExperimentExposed:
    """One of many."""
    return ExperimentExposed(
        event_id=str(uuid.UUID(int=number)),
        customer_id=f"c-{number}",
        occurred_at=datetime(2026, 2, 9, tzinfo=UTC) + timedelta(seconds=number),
        experiment="gift[1]",
        unit=f"c-{number}",
        arm=arm,
        bucket=0.1,
        shares={"a": 0.5, "b": 0.5},
        policy="delay_care",
        journey_id="delay/flight/UA1",
        playbook_version="test",
    )


@pytest.mark.live
async def test_experiments_are_checked(settings: Settings, live_env: dict[str, str]) -> None:
    """Nothing yet, then as it should be, then a mismatch with code 1; a topic that is not there is named."""

    def careline(*words: str, **env: str) -> tuple[int, str]:
        result = runner.invoke(app, ["experiments", *words], env={**live_env, "COLUMNS": "150", **env})
        return result.exit_code, result.output

    assert await asyncio.to_thread(careline) == (
        0,
        "No exposures: no customer has met an experiment or a holdout yet.\n",
    )
    topic = settings.topics.exposures
    async with writer(settings) as exposures:
        await exposures.write(*((topic, exposure(number, "ab"[number % 2])) for number in range(40)))
        code, text = await asyncio.to_thread(careline)
        assert (code, "gift[1]" in text, "as it should be" in text) == (0, True, True)
        await exposures.write(*((topic, exposure(number, "a")) for number in range(40, 120)))
        code, text = await asyncio.to_thread(careline, "--json")
    assert code == 1
    [found] = json.loads(text)
    assert found["mismatch"]
    assert found["verdict"] == "sample ratio mismatch: do not trust this experiment"
    assert [arm["exposed"] for arm in found["arms"]] == [100, 20]
    code, text = await asyncio.to_thread(careline, CARELINE_TOPIC_PREFIX="nobody.")
    assert code == 3
    assert "there is no topic nobody.exposures" in text
