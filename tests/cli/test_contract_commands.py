"""`careline schemas` and `careline topics`: what they print and how they end."""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner

import schemas
from processors.cli import schemas as schemas_command
from processors.cli import topics as topics_command
from processors.settings import Settings
from schemas import contract
from streams.registry.registry import ConfluentRegistry
from streams.topics import Topics

runner = CliRunner()


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    made = f"test-{uuid.uuid4().hex[:8]}."
    monkeypatch.setenv("CARELINE_TOPIC_PREFIX", made)
    return made


@pytest.fixture
def live(live_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The environment of the running stack, under a prefix of its own; its topics are gone afterwards."""
    for name, value in {**live_env, "CARELINE_PARTITIONS": "3"}.items():
        monkeypatch.setenv(name, value)
    found = Settings.from_environment()
    yield found
    asyncio.run(_delete(found))


async def _delete(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    if left := [topic for topic in await admin.list_topics() if topic.startswith(settings.topic_prefix)]:
        await admin.delete_topics(left)
    await admin.close()


async def _create(settings: Settings, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(**settings.kafka_client())
    await admin.start()
    await admin.create_topics([NewTopic(topic, partitions, 1)])
    async with asyncio.timeout(20):
        while topic not in await admin.list_topics():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await admin.close()


def test_check_passes_on_the_contract() -> None:
    """It says how much it looked at."""
    result = runner.invoke(schemas_command.app, ["check"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{len(schemas.names())} records, ")


def test_check_ends_with_1_and_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script can rely on the code, a person on the sentence."""
    home = tmp_path / "schemas"
    shutil.copytree(contract.HOME, home, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = home / "touchpoint" / "DelayEnded" / "v1.avsc"
    file.write_text(file.read_text().replace("The wait is over", "It is over"))
    monkeypatch.setattr(contract.check, "__defaults__", (home,))
    result = runner.invoke(schemas_command.app, ["check"])
    assert result.exit_code == 1
    assert result.stdout == (
        "schemas/touchpoint/DelayEnded/v1.avsc: is published and was edited; undo that and add v2.avsc instead\n"
    )
    result = runner.invoke(schemas_command.app, ["check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["violations"][0]["file"] == "touchpoint/DelayEnded/v1.avsc"


def test_schemas_list_names_every_record_and_subject(prefix: str) -> None:
    """An outcome is registered under both topics it travels on."""
    result = runner.invoke(schemas_command.app, ["list", "--json"])
    assert result.exit_code == 0
    listed = {entry["record"]: entry for entry in json.loads(result.stdout)}
    assert set(listed) == set(schemas.names())
    assert listed["careline.outcome.OutreachSent"]["subjects"] == [
        f"{prefix}touchpoints-careline.outcome.OutreachSent",
        f"{prefix}outcomes-careline.outcome.OutreachSent",
    ]
    assert "careline.outcome.OutreachSent" in runner.invoke(schemas_command.app, ["list"]).stdout


def test_topics_list_is_the_catalogue(prefix: str) -> None:
    """No server is asked."""
    result = runner.invoke(topics_command.app, ["list", "--json"])
    assert result.exit_code == 0
    listed = json.loads(result.stdout)
    assert [entry["topic"] for entry in listed] == [prefix + topic.name for topic in Topics().all()]
    assert listed[0]["retention_days"] == 30
    assert prefix + "journeys" in runner.invoke(topics_command.app, ["list"]).stdout


@pytest.mark.parametrize("app", [topics_command.app, schemas_command.app])
def test_a_server_that_does_not_answer_ends_with_3(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is named, and there is no traceback."""
    monkeypatch.setenv("CARELINE_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("CARELINE_REGISTRY_URL", "http://127.0.0.1:9")
    result = runner.invoke(app, ["apply"])  # type: ignore[arg-type]
    assert result.exit_code == 3
    assert "127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.output


def test_a_wrong_setting_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named."""
    monkeypatch.setenv("CARELINE_PARTITIONS", "many")
    result = runner.invoke(topics_command.app, ["apply"])
    assert result.exit_code == 2
    assert "CARELINE_PARTITIONS" in result.stderr


@pytest.mark.live
def test_topics_apply_shows_then_asks_then_does(live: Settings) -> None:
    """Look, be asked, agree, and the second time there is nothing left."""
    look = runner.invoke(topics_command.app, ["apply", "--dry-run"])
    assert look.exit_code == 1
    assert f"{live.topic_prefix}touchpoints" in look.stdout
    assert "retention.ms 2592000000" in look.stdout

    unattended = runner.invoke(topics_command.app, ["apply"])
    assert unattended.exit_code == 2
    assert "--yes" in unattended.stderr
    assert runner.invoke(topics_command.app, ["apply", "--dry-run"]).exit_code == 1

    done = runner.invoke(topics_command.app, ["apply", "--yes", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["applied"] is True
    assert {topic["status"] for topic in json.loads(done.stdout)["topics"]} == {"missing"}

    again = runner.invoke(topics_command.app, ["apply", "--yes"])
    assert again.exit_code == 0
    assert "nothing to do" in again.stdout


@pytest.mark.live
def test_topics_apply_shows_both_values(live: Settings) -> None:
    """Now -> then."""
    assert runner.invoke(topics_command.app, ["apply", "--yes"]).exit_code == 0
    kept = runner.invoke(topics_command.app, ["apply", "--yes", "--keep-history"])
    assert kept.exit_code == 0
    assert "retention.ms 2592000000 -> -1" in kept.stdout
    assert runner.invoke(topics_command.app, ["apply", "--dry-run", "--keep-history"]).exit_code == 0


@pytest.mark.live
def test_topics_apply_refuses_to_move_keys(live: Settings) -> None:
    """Exit code 2, the way out on standard error, and nothing made."""
    asyncio.run(_create(live, f"{live.topic_prefix}journeys", 5))
    refused = runner.invoke(topics_command.app, ["apply", "--yes"])
    assert refused.exit_code == 2
    assert "Set CARELINE_PARTITIONS=5" in refused.stderr
    data = json.loads(runner.invoke(topics_command.app, ["apply", "--dry-run", "--json"]).stdout)
    assert data["applied"] is False
    assert [topic["status"] for topic in data["topics"]].count("missing") == len(data["topics"]) - 1


@pytest.mark.live
def test_schemas_apply_twice(live: Settings) -> None:
    """The first time all are new, the second none."""
    first = runner.invoke(schemas_command.app, ["apply"])
    assert first.exit_code == 0
    count = len(live.topics.subjects())
    assert f"{count} subjects, checked for FULL_TRANSITIVE" in first.stdout
    second = runner.invoke(schemas_command.app, ["apply"])
    assert second.stdout == f"{count} subjects, checked for FULL_TRANSITIVE; nothing new.\n"
    reports = json.loads(runner.invoke(schemas_command.app, ["apply", "--json"]).stdout)
    assert {report["registered"] for report in reports} == {0}
    assert {report["compatibility_was"] for report in reports} == {"FULL_TRANSITIVE"}


@pytest.mark.live
def test_versions_of_others_are_named(live: Settings) -> None:
    """Money with other decimal places under our subject: a warning that says what differs, and code 1 of the check."""
    runner.invoke(schemas_command.app, ["apply"])
    fine = runner.invoke(schemas_command.app, ["check", "--registry"])
    assert (fine.exit_code, fine.stdout.splitlines()[-1]) == (
        0, "The registry has no foreign versions under our subjects."
    )  # fmt: skip
    subject = live.topics.subject(live.topics.touchpoints, "careline.touchpoint.GestureGiven")
    schema = copy.deepcopy(schemas.latest("careline.touchpoint.GestureGiven"))
    next(field for field in schema["fields"] if field["name"] == "cost")["type"]["scale"] = 4
    asyncio.run(_register(live, subject, schema))
    checked = runner.invoke(schemas_command.app, ["check", "--registry"])
    applied = runner.invoke(schemas_command.app, ["apply"])
    assert (checked.exit_code, applied.exit_code) == (1, 0)
    for result in (checked, applied):
        assert f"warning: {subject} version 2 (schema id " in result.stderr
        assert "every reader refuses records written with it: cost: is written as decimal" in result.stderr
    told = json.loads(runner.invoke(schemas_command.app, ["check", "--registry", "--json"]).stdout)
    assert [(one["subject"], one["version"]) for one in told["strangers"]] == [(subject, 2)]


async def _register(settings: Settings, subject: str, schema: schemas.Schema) -> None:
    registry = ConfluentRegistry(settings)
    await registry.register(subject, schema)
    await registry.close()
