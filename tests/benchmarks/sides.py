"""The sides of the comparison: the journeys role, which does the full job, and peers with a simple aggregate."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import preflight
from tests.benchmarks.installing import PEERS, classpath_of_java, python_for_peers
from tests.benchmarks.programs import Program
from tests.benchmarks.rounds import Round

_CACHE = 64 << 20  # bytes; every customer's aggregate fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The input of a side: the round, the name of its group, the schemas' directory, and its state directory."""

    round: Round
    group: str
    schemas: Path
    state: Path

    @property
    def arguments(self) -> list[str]:
        """The first arguments of every peer."""
        settings = self.round.settings
        return [settings.kafka_bootstrap, self.round.touchpoints, self.group, str(self.schemas)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side. ``program`` creates its program for a job."""

    name: str
    title: str
    program: Callable[[Job], Program]
    state_topic: Callable[[Job], str]
    """The topic to which it writes its state, keyed by customer."""
    output: bool = False
    """Whether that topic must exist before it starts."""


def _environment() -> dict[str, str]:
    """The environment of a peer, without anything of the project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CARELINE_", "PYTHON"))}


def _python(script: str, *more: Callable[[Job], str]) -> Callable[[Job], Program]:
    def made(job: Job) -> Program:
        argv = [str(python_for_peers()), str(PEERS / script), *job.arguments, *(one(job) for one in more)]
        return Program(Path(script).stem, argv, env=_environment(), cwd=job.state)

    return made


def _kafka_streams(cache: int) -> Callable[[Job], Program]:
    def made(job: Job) -> Program:
        options = ["-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classpath_of_java(), "Peer"]
        argv = [preflight.java_program(os.environ), *options, *job.arguments, str(job.state), str(cache)]
        return Program("kafka-streams", argv, env=_environment(), cwd=job.state)

    return made


def _changelog(job: Job) -> str:
    return f"{job.group}-aggregates-changelog"


def _partitions(job: Job) -> str:
    return str(job.round.settings.partitions)


def _state(job: Job) -> str:
    return str(job.state)


JOURNEYS = "journeys"

SIDES: Mapping[str, Side] = {
    side.name: side
    for side in (
        Side(
            name=JOURNEYS,
            title="Careline journeys, the whole job",
            program=lambda job: job.round.journeys(),
            state_topic=lambda job: f"{job.round.settings.topic_prefix}journeys",
        ),
        Side(
            name="kafka_streams",
            title="Kafka Streams, exactly_once_v2, with cache",
            program=_kafka_streams(_CACHE),
            state_topic=_changelog,
        ),
        Side(
            name="kafka_streams_no_cache",
            title="Kafka Streams, exactly_once_v2, without cache",
            program=_kafka_streams(0),
            state_topic=_changelog,
        ),
        Side(
            name="quix",
            title="Quix Streams, exactly-once",
            program=_python("quix.py", _state),
            state_topic=lambda job: f"changelog__{job.group}--{job.round.touchpoints}--default",
        ),
        Side(
            name="faust",
            title="Faust with a table, at least once",
            program=_python("faust_table.py", _partitions),
            state_topic=_changelog,
        ),
        Side(
            name="bare_loop",
            title="bare aiokafka loop in transactions",
            program=_python("bare_loop.py", _partitions),
            state_topic=lambda job: f"{job.group}-aggregates",
            output=True,
        ),
    )
}
"""Every side by name, ours first."""


@asynccontextmanager
async def job_of(side: Side, round_: Round) -> AsyncIterator[Job]:
    """The job for a side, for as long as it runs."""
    group = round_.group if side.name == JOURNEYS else f"{round_.settings.topic_prefix}{side.name}"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        schemas, state = _directories(Path(folder), await round_.schemas_by_id())
        job = Job(round=round_, group=group, schemas=schemas, state=state)
        if side.output:
            await _create(round_, side.state_topic(job))
        yield job


def _directories(folder: Path, schemas: Mapping[int, Any]) -> tuple[Path, Path]:
    for directory in ("schemas", "state"):
        (folder / directory).mkdir()
    for schema_id, schema in schemas.items():
        (folder / "schemas" / f"{schema_id}.avsc").write_text(json.dumps(schema))
    return folder / "schemas", folder / "state"


async def _create(round_: Round, topic: str) -> None:
    admin = AIOKafkaAdminClient(**round_.settings.kafka_client())
    try:
        await admin.start()
        await admin.create_topics([NewTopic(topic, round_.settings.partitions, 1)])
    finally:
        await admin.close()
