"""The real stack, started for these tests alone: up, side by side, down, and what outlives a restart."""

import asyncio
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis

from deploy.local import Stack, State, running_stack
from deploy.local.mail_sink import Mode, set_mode
from deploy.local.preflight import ADDRESS_VARIABLES
from deploy.local.processes import marked
from tests.interrupts import hears_interrupts

pytestmark = pytest.mark.live


def own_environment() -> dict[str, str]:
    """Ours without addresses: these tests start stacks of their own even where others are named."""
    return {name: value for name, value in os.environ.items() if name not in ADDRESS_VARIABLES}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that these tests may bring up and down as they like."""
    with running_stack(tmp_path_factory.mktemp("stack") / "home", purge=True, environ=own_environment()) as running:
        yield running


def ask(url: str, body: object = None) -> Any:
    """The registry's answer to a GET, or to a POST of `body`."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/vnd.schemaregistry.v1+json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        return json.load(response)


def record_schema(name: str, *fields: str) -> dict[str, str]:
    """A schema as the registry takes it; every field an int without a default."""
    columns = [{"name": field, "type": "int"} for field in fields]
    return {"schema": json.dumps({"type": "record", "name": name, "fields": columns})}


def send(url: str, recipient: str) -> None:
    """Send one message to the mail sink; returns once it answered 250."""
    message = EmailMessage()
    message["To"], message["Subject"] = recipient, "Your flight"
    message.set_content("We are sorry.")
    where = urlsplit(url)
    with smtplib.SMTP(where.hostname or "", where.port or 0, timeout=10) as client:
        client.send_message(message, "care@example.org", [recipient])


async def write(bootstrap: str, topic: str, *values: bytes) -> None:
    """Make a topic and write to it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{topic}-writer")
    async with producer, producer.transaction():
        for value in values:
            await producer.send_and_wait(topic, value)


async def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """The first values of a topic, read committed."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed") as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return [(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(count)]


def test_all_four_answer_and_say_where(stack: Stack) -> None:
    """Settings, status and the servers agree."""
    status = stack.status()
    assert status.running
    assert {part.name for part in status.parts} == {"kafka", "registry", "redis", "mail"}
    settings = stack.environment()
    assert {part.address for part in status.parts} | {str(stack.place.mail)} == set(settings.values())
    assert not stack.up(), "a stack that runs is left as it is"


def test_nothing_listens_beyond_loopback(stack: Stack) -> None:
    """None of the servers asks for a password."""
    open_to = set()
    for part in stack.status().parts:
        if part.pid is not None:
            found = psutil.Process(part.pid).net_connections(kind="inet")
            open_to |= {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}
    assert open_to <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_the_registry_holds_every_subject_to_full_transitive(stack: Stack) -> None:
    """Apicurio checks nothing by default: a field without a default must be refused."""
    url = stack.environment()["CARELINE_REGISTRY_URL"]
    assert ask(f"{url}/config") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    ask(f"{url}/subjects/compat-value/versions", record_schema("Compat", "first"))
    with pytest.raises(urllib.error.HTTPError) as refusal:
        ask(f"{url}/subjects/compat-value/versions", record_schema("Compat", "first", "second"))
    with refusal.value as answer:
        assert answer.code == 409


async def test_topics_schema_ids_and_view_outlive_down_and_up(stack: Stack) -> None:
    """At the same addresses; else the bytes in the topics would mean nothing. Works inside a running loop too."""
    settings = stack.environment()
    url = settings["CARELINE_REGISTRY_URL"]
    ids = [ask(f"{url}/subjects/s{n}-value/versions", record_schema(f"S{n}", "a"))["id"] for n in range(3)]
    await write(settings["CARELINE_KAFKA_BOOTSTRAP"], "kept", b"one", b"two")
    with Redis.from_url(settings["CARELINE_REDIS_URL"]) as redis:
        redis.set("customer", "ann")

    assert stack.down()
    assert [part.state for part in stack.status().parts] == [State.STOPPED] * 4
    assert marked(stack.place.mark()) == []
    assert stack.up()

    assert stack.environment() == settings
    assert [ask(f"{url}/subjects/s{n}-value/versions/1")["id"] for n in range(3)] == ids
    assert json.loads(ask(f"{url}/schemas/ids/{ids[2]}")["schema"])["name"] == "S2"
    assert await read(settings["CARELINE_KAFKA_BOOTSTRAP"], "kept", 2) == [b"one", b"two"]
    with Redis.from_url(settings["CARELINE_REDIS_URL"]) as redis:
        assert redis.get("customer") == b"ann"


def test_a_schema_id_that_was_answered_outlives_a_kill(stack: Stack) -> None:
    """kill -9 in the moment after the answer: the id would else be given to another schema."""
    url = stack.environment()["CARELINE_REGISTRY_URL"]
    pid = next(part.pid for part in stack.status().parts if part.name == "registry")
    given = ask(f"{url}/subjects/killed-value/versions", record_schema("Killed", "a"))["id"]
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        psutil.wait_procs([process for process in psutil.process_iter() if process.pid == pid], timeout=10)
        assert stack.up(), "the registry was missing"
    assert ask(f"{url}/subjects/killed-value/versions/1")["id"] == given


def test_mail_that_was_taken_outlives_a_kill(stack: Stack) -> None:
    """Every message that was answered 250 is a file, also if the sink is killed right after."""
    url = stack.environment()["CARELINE_SMTP_URL"]
    for number in range(20):
        send(url, f"kill{number}@example.org")
    pid = next(part.pid for part in stack.status().parts if part.name == "mail")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert len([name for name in os.listdir(stack.place.mail) if "-kill" in name and name.endswith(".eml")]) == 20
    psutil.wait_procs([process for process in psutil.process_iter() if process.pid == pid], timeout=10)
    assert stack.up()
    send(url, "after@example.org")
    assert any("-000021-after_at_example.org" in name for name in os.listdir(stack.place.mail))


def test_the_mail_sink_fails_on_demand(stack: Stack) -> None:
    """As a mail server in trouble does, for the tests of the dispatcher."""
    settings = stack.environment()
    directory, url = Path(settings["CARELINE_MAIL_DIR"]), settings["CARELINE_SMTP_URL"]
    try:
        set_mode(directory, Mode.REFUSE, code=550)
        with pytest.raises(smtplib.SMTPDataError):
            send(url, "refused@example.org")
        set_mode(directory, Mode.DROP_AFTER_DATA)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            send(url, "dropped@example.org")
    finally:
        set_mode(directory, Mode.OK)
    send(url, "taken@example.org")
    names = " ".join(os.listdir(directory))
    assert "refused_at_" not in names
    assert "dropped_at_" in names
    assert "taken_at_" in names


def test_a_second_stack_runs_beside_the_first(stack: Stack, tmp_path: Path) -> None:
    """Brought up by an interrupted program: it goes, with everything it started, and the first stays as it is."""
    home = tmp_path / "second"
    program = (
        "import sys, time; from deploy.local import running_stack\n"
        "with running_stack(sys.argv[1], purge=True) as stack:\n"
        "    print(*stack.environment().values(), flush=True); time.sleep(120)\n"
    )
    environ = own_environment() | {"PYTHONPATH": str(Path(__file__).parents[2])}
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(home)],
        env=environ, stdout=subprocess.PIPE, text=True, preexec_fn=hears_interrupts,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        addresses = child.stdout.readline().split()
        assert len(addresses) == 5
        assert set(addresses).isdisjoint(stack.environment().values())
        assert stack.status().running
        second = marked(f"{home}:")
        assert second
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(60)
        if child.stdout is not None:
            child.stdout.close()
    assert child.returncode == -signal.SIGINT
    assert [identity for identity in second if identity.alive()] == []
    assert marked(f"{home}:") == []
    assert not home.exists()
    assert stack.status().running


def test_up_is_quick_once_the_servers_are_here(stack: Stack) -> None:
    """A person waits for it: under 15 seconds on a machine with two cores, more where other work goes on."""
    stack.down()
    began = time.monotonic()
    stack.up()
    assert time.monotonic() - began < 60
