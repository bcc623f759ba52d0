"""`careline publish`, `careline tail` and `careline dlq`: what they print and how they end."""

from __future__ import annotations

import asyncio
import io
import json
import re
import struct
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

import schemas
from deploy.local.place import free_port
from processors.cli import app
from processors.cli.dlq import hexdump
from processors.cli.publish import _numbered, read_line
from processors.cli.tail import as_line
from processors.republishing import Kept, once_each
from streams.config import Settings
from streams.errors import InvalidEvent, Unreadable
from streams.events import Decision, DecisionKind, DelayNoticed, OutreachSent
from streams.subscribing.dead_letters import DeadLetter, headers_of
from streams.subscribing.subscriber import Message
from streams.topics import Topics
from tests.live.reading import raw_records

runner = CliRunner()

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KINDS = [name.rpartition(".")[2] for name in Topics().touchpoints.records]


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> str:
    """Servers that are not there."""
    address = f"127.0.0.1:{free_port(taken=set())}"
    monkeypatch.setenv("CARELINE_KAFKA_BOOTSTRAP", address)
    monkeypatch.setenv("CARELINE_REGISTRY_URL", f"http://{address}")
    return address


@pytest.fixture
def live(module_env: dict[str, str], module_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of the running stack, its topics and schemas applied."""
    for name, value in module_env.items():
        monkeypatch.setenv(name, value)
    return module_settings


def line(**fields: Any) -> str:
    said = {"type": "OrderDelivered", "customer_id": "anna", "source": "urn:test:shop", "order_id": "o-1"}
    return json.dumps({name: value for name, value in (said | fields).items() if value is not None})


def placed(**fields: Any) -> bytes:
    return line(type="OrderPlaced", description="a lamp", **fields).encode()


def test_a_byte_order_mark_is_no_fault() -> None:
    """Some editors put one before the first line."""
    assert read_line(b"\xef\xbb\xbf" + line().encode(), now=NOW).customer_id == "anna"


def test_a_long_line_is_passed_over_and_not_kept() -> None:
    """Its number counts, and so do those after it."""
    held = io.BytesIO(b"one\n" + b"x" * (40 << 20) + b"\n\n" + b"y" * ((8 << 20) + 1) + b"\nfour\n" + b"z" * (20 << 20))
    assert [(number, len(text)) for number, text in _numbered(held, None)] == [
        (1, 4), (2, (8 << 20) + 1), (4, (8 << 20) + 1), (5, 5), (6, (8 << 20) + 1)
    ]  # fmt: skip


# -- publish ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_is_a_line_that_can_be_published(kind: str) -> None:
    """What --example prints is read back as the event it is."""
    result = runner.invoke(app, ["publish", "--example", kind])
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    event = read_line(result.stdout.encode(), now=NOW)
    assert type(event).__name__ == kind


def test_an_unknown_example_is_named_with_what_was_meant() -> None:
    """A slip of the finger costs no look into the manual."""
    result = runner.invoke(app, ["publish", "--example", "DelayNotice"])
    assert result.exit_code == 2
    assert "did you mean DelayNoticed?" in result.stderr


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"nope", "line"),
        (b"[1]", "line"),
        (b"\xff\xfe{}", "line"),
        (b"[" * 100_000, "line"),
        (b"{}", "type"),
        (b'{"type": 7}', "type"),
        (b'{"type": "Delay"}', "type"),
        (b'{"type": "careline.journey.JourneyState"}', "type"),
        (line(customer_id=None).encode(), "customer_id"),
        (line(order_id=7).encode(), "order_id"),
        (line(order="o").encode(), "order"),
        (line(occurred_at="yesterday").encode(), "occurred_at"),
        (line(occurred_at="2026-05-04T12:00:00").encode(), "occurred_at"),
        (line(event_id="17").encode(), "event_id"),
        # half a character, escaped or as bytes, in a value, a name, an id, the type
        (line(order_id="\ud83d").encode(), "order_id"),
        (b'{"type": "OrderDelivered", "order_id": "\xed\xa0\xbd"}', "line"),
        (line(**{"\udc80": 1}).encode(), r"'\udc80'"),
        (line(type="\ud83d").encode(), "type"),
        (placed(items=[{"item_id": "i", "description": "\udfff"}]), "items[0].description"),
        (
            placed(items=[{"item_id": "i", "description": "d"}, {"item_id": "i", "descr\n\x1b[2J": "d"}]),
            r"items[1].'descr\n\x1b[2J'",
        ),
        (line(source="caf\xe9").encode("latin-1").replace(b"\\u00e9", b"\xe9"), "line"),
        # numbers without end, or of no kind that a field takes
        (placed(items=[{"item_id": "i", "description": "d", "quantity": 10**4_000}]), "items[0].quantity"),
        (placed(items=[{"item_id": "i", "description": "d", "quantity": 1 << 31}]), "items[0].quantity"),
        (b'{"type": "OrderPlaced", "total": ' + b"9" * 10_000 + b"}", "line"),
        (placed(total=float("nan")), "total"),
        (placed(total="NaN"), "total"),
        (placed(total="Infinity"), "total"),
        (placed(total="1E+999999999"), "total"),
        (placed(total="9" * 100_000), "total"),
        (placed(total="12345678901.00"), "total"),
        (line(type="FeedbackGiven", order_id=None, feedback_id="f", kind="CSAT", score=1e999).encode(), "score"),
        (line(type="FeedbackGiven", order_id=None, feedback_id="f", kind=["CSAT"]).encode(), "kind"),
        # what says two things, or goes on and on
        (b'{"type": "OrderDelivered", "order_id": "a", "order_id": "b"}', "order_id"),
        (b'{"type": "OrderPlaced", "items": [{"item_id": "a", "item_id": "b"}]}', "item_id"),
        (line(order_id=json.loads("[" * 900 + "]" * 900)).encode(), "order_id"),
        (b'{"type": "OrderDelivered", "order_id": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "line"),
        (line(order_id="o" * (8 << 20)).encode(), "line"),
        (line(**{"o" * 1_000_000: 1}).encode(), "'oooooooo"),
        (line(type="o" * 1_000_000).encode(), "type"),
    ],
)
def test_a_line_that_is_no_event_names_its_field(text: bytes, field: str) -> None:
    """Whatever is wrong, it is said by field."""
    with pytest.raises(InvalidEvent) as raised:
        read_line(text, now=NOW)
    assert raised.value.field == field or (len(field) == 9 and raised.value.field.startswith(field))
    assert len(str(raised.value)) < 1_000
    assert raised.value.field.isprintable()
    str(raised.value).encode()


def test_what_a_line_leaves_out_is_made_up() -> None:
    """An id of its own, and now; the full name of a record is taken, too."""
    first, second = (read_line(line().encode(), now=NOW) for _ in range(2))
    assert first.event_id != second.event_id
    assert first.occurred_at == NOW
    sent = {**schemas.examples("careline.outcome.OutreachSent")[0], "type": "careline.outcome.OutreachSent"}
    assert isinstance(read_line(json.dumps(sent).encode(), now=NOW), OutreachSent)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As for any wrong call."""
    result = runner.invoke(app, ["publish", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 2
    assert "none.jsonl: No such file" in result.stderr


@pytest.mark.parametrize(
    "words", [["publish", "-"], ["tail", "journeys", "--until-end"], ["dlq", "list"], ["dlq", "republish", "--yes"]]
)
def test_servers_that_are_not_there_are_named(closed: str, words: list[str]) -> None:
    """Exit code 3: trying again later may help."""
    result = runner.invoke(app, words, input=line())
    assert result.exit_code == 3
    assert closed in result.stderr


@pytest.mark.parametrize("words", [[], ["--reason", "unknown_schema", "--yes"], ["--offset", "0:3", "--json"]])
def test_the_former_name_of_republish_is_refused_with_the_new_one(closed: str, words: list[str]) -> None:
    """`careline dlq replay` does nothing, whatever follows it, and says what it is called now."""
    result = runner.invoke(app, ["dlq", "replay", *words])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "careline dlq replay is called careline dlq republish" in result.stderr
    assert closed not in result.stderr
    assert "replay" not in runner.invoke(app, ["dlq", "--help"]).stdout


@pytest.mark.live
def test_publish_and_tail(live: Settings, tmp_path: Path) -> None:
    """Good lines are published and found where it said; a bad one is named by line and field, and costs no other."""
    customer = f"c-{uuid.uuid4().hex[:8]}"
    file = tmp_path / "events.jsonl"
    delay = {**schemas.examples("careline.touchpoint.DelayNoticed")[0], "type": "DelayNoticed", "customer_id": customer}
    file.write_text("\n".join([line(customer_id=customer), "", line(customer_id=""), "{", json.dumps(delay)]) + "\n")
    result = runner.invoke(app, ["publish", str(file)])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "line 3: customer_id: is empty; it says whose journey this belongs to",
        "line 4: line: is not JSON: Expecting property name enclosed in double quotes: line 2 column 1 (char 2)",
    ]
    first, second, last = result.stdout.splitlines()
    assert last == "2 published, 2 refused (customer_id 1, line 1)."
    told = re.fullmatch(rf"line 1: OrderDelivered (\S+) of {customer} is in (\S+)\[(\d)\] at (\d+)", first)
    assert told is not None
    assert f"line 5: DelayNoticed {delay['event_id']}" in second

    words = ["tail", "touchpoints", "--until-end", "--customer", customer]
    rows = [json.loads(row) for row in runner.invoke(app, [*words, "--json"]).stdout.splitlines()]
    assert [row["type"] for row in rows] == ["OrderDelivered", "DelayNoticed"]
    place = (rows[0]["record"]["event_id"], rows[0]["topic"], str(rows[0]["partition"]), str(rows[0]["offset"]))
    assert told.groups() == place
    again = json.dumps({"type": rows[1]["type"], **rows[1]["record"]}).encode()
    assert isinstance(read_line(again, now=NOW), DelayNoticed)

    lines = runner.invoke(app, words).stdout.splitlines()
    assert f"  {customer}  OrderDelivered  order o-1 delivered" in lines[0]
    assert lines[1].startswith(f"2013-02-08 17:10:00  {customer}  DelayNoticed  flight UA 571 to Houston")
    assert len(runner.invoke(app, [*words, "--limit", "1"]).stdout.splitlines()) == 1


@pytest.mark.live
def test_one_bad_line_costs_itself(live: Settings) -> None:
    """Whatever a line holds, those before and after it are published, and the exit code says that some were not."""
    customer = f"c-{uuid.uuid4().hex[:8]}"
    good = line(customer_id=customer).encode()
    bad = [
        line(customer_id=customer, order_id="\ud83d").encode(),
        line(customer_id="\udc80").encode(),
        b'{"type": "OrderDelivered", "order_id": "\xed\xa0\xbd"}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        line(order_id="o" * (9 << 20)).encode(),
        line(order_id="o" * (2 << 20)).encode(),
        placed(customer_id=customer, total="1E+999999999"),
        placed(customer_id=customer, promised_at="0001-01-01T00:00:00+14:00"),
    ]
    given = b"\n".join(part for one in bad for part in (good, one)) + b"\n" + good
    result = runner.invoke(app, ["publish", "--quiet"], input=given)
    assert result.exit_code == 1
    assert result.stdout == "10 published, 9 refused (line 4, order_id 1, customer_id 1, event 1, total 1, ...).\n"
    assert [row.split(":")[0] for row in result.stderr.splitlines()] == [f"line {2 * at}" for at in range(1, 10)]
    told = runner.invoke(app, ["publish", "--quiet", "--json"], input=bad[0] + b"\n" + good)
    assert json.loads(told.stdout.splitlines()[-1]) == {"published": 1, "refused": 1, "fields": {"order_id": 1}}


@pytest.mark.live
def test_publish_in_json(live: Settings) -> None:
    """A program gets a line for each event, published or refused."""
    customer = f"c-{uuid.uuid4().hex[:8]}"
    given = f"{line(customer_id=customer)}\n{line(order_id=None)}\n"
    result = runner.invoke(app, ["publish", "--json"], input=given)
    assert result.exit_code == 1
    refused, published = sorted((json.loads(row) for row in result.stdout.splitlines()), key=len)
    assert refused == {"line": 2, "field": "order_id", "problem": "is missing"}
    assert published["customer_id"] == customer
    quiet = runner.invoke(app, ["publish", "--quiet"], input=line())
    assert (quiet.exit_code, quiet.stdout) == (0, "1 published, 0 refused.\n")


def test_tail_says_of_a_decision_who_wanted_what_and_why_not() -> None:
    """Policy, kind, reason and occasion, then the explanation."""
    decision = Decision(
        decision_id="d-1",
        customer_id="anna",
        decided_at=NOW,
        kind=DecisionKind.HOLD,
        reason="quiet_hours",
        explanation="it is night in Asia/Tokyo",
        policy="delay_care",
        playbook_version="1",
        journey_id="order/o-1",
        occasion="gesture-2",
        hold_until=NOW,
    )
    message = Message(record=decision, key="anna", topic="t", partition=0, offset=0, timestamp=0, headers=())
    assert as_line(message) == (
        "2026-05-04 12:00:00  anna  Decision  delay_care hold until Mon 4 May 2026, 12:00 (quiet hours), gesture-2: "
        "it is night in Asia/Tokyo"
    )


def test_tail_names_the_topics_there_are(closed: str) -> None:
    """Before it asks any server."""
    result = runner.invoke(app, ["tail", "journey"])
    assert result.exit_code == 2
    assert "there are touchpoints, journeys, decisions" in result.stderr


# -- dead letters -----------------------------------------------------------------------------------------------------


class Origin:
    """A record as a reader met it."""

    def __init__(self, settings: Settings, *, offset: int, value: bytes | None, key: bytes | None = b"anna") -> None:
        self.topic = settings.topics.full_name(settings.topics.touchpoints)
        self.partition, self.offset, self.timestamp = 1, offset, 1_777_000_000_000
        self.key, self.value, self.headers = key, value, [("mine", b"kept")]


async def put_aside(settings: Settings, *letters: tuple[Any, Unreadable, str]) -> None:
    topic = settings.topics.full_name(settings.topics.dead_letters)
    producer = AIOKafkaProducer(**settings.kafka_client())
    await producer.start()
    for origin, why, reader in letters:
        headers = headers_of(origin, why, reader=reader)
        await producer.send_and_wait(topic, origin.value or b"", key=origin.key, headers=headers, partition=0)
    await producer.stop()


@pytest.mark.live
def test_dead_letters_are_counted_shown_and_replayed(live: Settings) -> None:
    """By cause and each; one with its bytes; and back to where they came from, nothing removed."""
    unknown = Unreadable("unknown_schema", "the registry has no schema with id 900")
    value = struct.pack(">bI", 0, 900) + b"body of an event"
    record = Origin(live, offset=3, value=value)
    asyncio.run(
        put_aside(
            live,
            (record, unknown, "careline.journeys"),
            (record, unknown, "crm"),
            (Origin(live, offset=4, value=None), Unreadable("tombstone", "null"), "careline.journeys"),
            (Origin(live, offset=5, value=b"[red]x\x1b[2J"), Unreadable("not_avro", "no\nway"), "careline.journeys"),
            (Origin(live, offset=6, value=None, key=None), Unreadable("nothing", "null"), "careline.journeys"),
        )
    )
    causes = json.loads(runner.invoke(app, ["dlq", "list", "--json"]).stdout)
    assert {cause["reason"]: cause["count"] for cause in causes} == {
        "unknown_schema": 2,
        "tombstone": 1,
        "not_avro": 1,
        "nothing": 1,
    }
    table = runner.invoke(app, ["dlq", "list"]).stdout
    assert "unknown_schema" in table
    assert len(json.loads(runner.invoke(app, ["dlq", "list", "--each", "--json"]).stdout)) == 5
    each = runner.invoke(app, ["dlq", "list", "--each", "--reason", "not_avro"], env={"COLUMNS": "200"}).stdout
    assert "0:3" in each
    assert "at 5" in each

    shown = runner.invoke(app, ["dlq", "show", "0:0"])
    assert shown.exit_code == 0
    assert "why: unknown_schema: the registry has no schema with id 900" in shown.stdout
    assert f"from: {record.topic}[1] at 3" in shown.stdout
    assert "header mine: kept" in shown.stdout
    assert "00000000  00 00 00 03 84 62 6f 64 79 20 6f 66 20 61 6e 20  .....body of an" in shown.stdout
    assert "value: none (a tombstone)" in runner.invoke(app, ["dlq", "show", "2"]).stdout
    assert "\x1b" not in runner.invoke(app, ["dlq", "show", "3"]).stdout
    assert json.loads(runner.invoke(app, ["dlq", "show", "0", "--json"]).stdout)["value"] == value.hex()
    absent = runner.invoke(app, ["dlq", "show", "77"])
    assert (absent.exit_code, absent.stderr.split(";")[0]) == (2, "there is no dead letter at 77")

    asked = runner.invoke(app, ["dlq", "republish", "--reason", "unknown_schema"])
    assert asked.exit_code == 2
    assert "--yes" in asked.stderr
    done = runner.invoke(app, ["dlq", "republish", "--reason", "unknown_schema", "--yes"])
    assert (done.exit_code, done.stdout) == (0, "1 published again; the dead letters are kept.\n")
    more = runner.invoke(app, ["dlq", "republish", "--offset", "2", "--offset", "0:3", "--yes", "--json"])
    assert json.loads(more.stdout) == {"republished": 2, "refused": 0, "of_no_topic_of_ours": 0}
    nothing = runner.invoke(app, ["dlq", "republish", "--reason", "nothing", "--yes"])
    assert (nothing.exit_code, nothing.stdout) == (1, "0 published again; the dead letters are kept.\n")
    assert "neither key nor value" in nothing.stderr
    assert len(json.loads(runner.invoke(app, ["dlq", "list", "--each", "--json"]).stdout)) == 5
    raws = asyncio.run(_raw(live))
    found = {(raw.key, raw.value, tuple(raw.headers)) for raw in raws if ("mine", b"kept") in raw.headers}
    kept = (("mine", b"kept"),)
    assert found == {(b"anna", value, kept), (b"anna", None, kept), (b"anna", b"[red]x\x1b[2J", kept)}
    line_of = runner.invoke(app, ["tail", "dead-letters", "--until-end", "--limit", "1"]).stdout
    assert "unknown_schema" in line_of


async def _raw(settings: Settings) -> list[Any]:
    return await raw_records(settings, "touchpoints")


def test_a_letter_that_several_put_aside_goes_out_once() -> None:
    """In the order of its topic."""

    def kept(place: int, origin: int, reader: str) -> Kept:
        letter = DeadLetter(
            reason="not_avro", detail="", reader=reader, topic="careline.touchpoints", partition=0, offset=origin,
            timestamp=0, schema_id=None, key=None, value=b"", headers=(),
        )  # fmt: skip
        return Kept(partition=0, offset=place, at=place, letter=letter)

    letters = [kept(0, 7, "journeys"), kept(1, 3, "journeys"), kept(2, 7, "crm")]
    assert [one.letter.offset for one in once_each(letters)] == [3, 7]


def test_a_hexdump_is_cut_where_nobody_reads_on() -> None:
    """Sixteen bytes a line, letters beside them."""
    assert hexdump(b"Ab\x00") == [f"00000000  {'41 62 00':<47}  Ab."]
    assert hexdump(bytes(5_000))[-1] == "... 904 bytes more"
