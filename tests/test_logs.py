"""What a role's log looks like, and what never stands in it."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from aiokafka.errors import KafkaConnectionError

from processors.roles import logs
from processors.roles.log_fields import FIELDS, NO_NAME, allowed
from streams.errors import InvalidEvent, Unavailable, Unreadable
from streams.told import told, told_at_length
from streams.tracing import Tracing
from tests.log_lines import entries
from tests.test_architecture import modules
from tests.tracing.test_spans import Kept

LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


@contextmanager
def logged(level: str = "debug", form: logs.Format = "json") -> Iterator[io.StringIO]:
    """What a role of this process logs within the block."""
    before, written = structlog.get_config(), io.StringIO()
    libraries = logs._Libraries()
    logging.getLogger().addHandler(libraries)
    logs.logs_to(level, role="journeys", instance="3", form=form)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=written))
    try:
        yield written
    finally:
        logging.getLogger().removeHandler(libraries)
        structlog.configure(**before)


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a structured log in the sources, with its module."""
    for name, tree in modules().items():
        if not any(ast.unparse(node) == "log = structlog.get_logger()" for node in tree.body):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = node.func.value
                if isinstance(of, ast.Name) and of.id == "log" and node.func.attr in LEVELS:
                    yield name, node


def test_every_event_has_a_name() -> None:
    """A log can be searched: each entry is a constant in lower case with underscores."""
    found = [(name, call) for name, call in calls()]
    assert len(found) > 40, "the check sees the calls"
    wrong = [
        f"{name}:{call.lineno}"
        for name, call in found
        if not isinstance(call.args[0], ast.Constant) or not re.fullmatch(r"[a-z]+(_[a-z]+)*", call.args[0].value)
    ]
    assert wrong == []


def test_every_field_is_on_the_list() -> None:
    """Whoever adds a field decides what it may hold; one that is not on the list would be left out."""
    given = {keyword.arg for _, call in calls() for keyword in call.keywords if keyword.arg}
    assert given - {"exc_info"} <= FIELDS.keys()
    assert not {"customer", "customer_id", "key", "value", "address", "name", "text", "detail", "email"} & FIELDS.keys()


def test_no_exception_is_logged_by_its_words() -> None:
    """An exception goes to the log as it is, and what may be said of it is decided in one place."""
    wrong = [
        f"{name}:{call.lineno}: {ast.unparse(value)}"
        for name, call in calls()
        for keyword in call.keywords
        for value in ast.walk(keyword.value)
        if (isinstance(value, ast.Call) and ast.unparse(value.func) in ("str", "repr") and keyword.arg != "path")
        or (isinstance(value, ast.JoinedStr) and keyword.arg not in ("url",))
        or (isinstance(value, ast.FormattedValue) and value.conversion == ord("r"))
    ]
    assert wrong == []


def test_lines_have_one_shape() -> None:
    """Time, level, event, role and instance come first and are always there; then trace and place."""
    with logged() as written:
        log = structlog.get_logger()
        log.info("partition_taken", keys=1, offset=7, partition=2, topic="careline.touchpoints")
        with Kept().tracing.begin("a step", {}).current():
            log.warning("dead_letter", offset=8, partition=2, topic="careline.touchpoints", reason="not_avro")
        logging.getLogger("aiokafka.cluster").error("No broker %s", "127.0.0.1:1")
    first, second, library = (json.loads(line) for line in written.getvalue().splitlines())
    assert list(first) == ["time", "level", "event", "role", "instance", "topic", "partition", "offset", "keys"]
    assert (first["level"], first["role"], first["instance"], first["offset"]) == ("info", "journeys", "3", 7)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", first["time"])
    assert list(second)[:7] == ["time", "level", "event", "role", "instance", "trace_id", "topic"]
    assert re.fullmatch("[0-9a-f]{32}", second["trace_id"])
    assert (library["event"], library["logger"], library["message"], library["level"]) == (
        "library_message", "aiokafka.cluster", "No broker 127.0.0.1:1", "error",
    )  # fmt: skip


def test_people_get_text() -> None:
    """On a terminal, or where CARELINE_LOG_FORMAT says so, a line is to be read."""
    with logged(form="text") as written:
        structlog.get_logger().info("partition_taken", keys=1)
    assert re.match(r"\S+Z \[info +\] partition_taken +instance=3 keys=1 role=journeys\n$", written.getvalue())


def test_levels_are_kept() -> None:
    """At warning nothing below it is written, of ours or of libraries."""
    with logged("warning") as written:
        structlog.get_logger().info("partition_taken", keys=1)
        logging.getLogger("faust").info("hello")
        structlog.get_logger().warning("waiting", why="for Kafka")
    assert [entry["event"] for entry in entries(written.getvalue())] == ["waiting"]


@pytest.mark.parametrize(
    "fields",
    [
        {"customer_id": "ana"}, {"key": "ana"}, {"detail": "Ana Ruiz"}, {"topic": "Ana Ruiz"}, {"reason": "for Ana"},
        {"outreach": "ana"}, {"error": "Ana"}, {"offset": "Ana"}, {"records": ("Ana Ruiz",)}, {"template": "a@b"},
        {"Ana Ruiz": 1}, {"keys": [1, "Ana"]}, {"why": ValueError("Ana")}, {"provider": InvalidEvent("f", "Ana")},
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_left_out_and_named(fields: dict[str, Any]) -> None:
    """Somebody who logs a customer by mistake sees that it does not arrive."""
    found = allowed(None, "info", {"event": "an_event", **fields})
    assert found == {"event": "an_event", "left_out": [name if name != "Ana Ruiz" else NO_NAME for name in fields]}


def test_an_event_that_is_no_name_is_none() -> None:
    """A sentence put together with a customer's name is not the name of an event."""
    assert allowed(None, "info", {"event": "no letter for Ana"}) == {"event": NO_NAME}


def test_words_lose_their_addresses() -> None:
    """Even where words are allowed, an address or a number in them is not."""
    why = "refused by ana.ruiz@mail.example, +1 415 555 0100, at offset 123456 of 127.0.0.1:9092"
    assert allowed(None, "info", {"event": "an_event", "why": why})["why"] == (
        "refused by ..., ..., at offset 123456 of 127.0.0.1:9092"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("Ana Ruiz"), "ValueError"),
        (Unreadable("invalid_addresses", "ana@mail.example"), "Unreadable: invalid_addresses"),
        (InvalidEvent("name", "'Ana Ruiz' is too long"), "InvalidEvent: name"),
        (Unavailable.of("Kafka", "127.0.0.1:1", "no"), "Unavailable: Kafka at 127.0.0.1:1 does not answer: no"),
        (KafkaConnectionError("no broker"), "KafkaConnectionError: KafkaConnectionError: no broker"),
        (ConnectionRefusedError(111, "Connection refused", "ana"), "ConnectionRefusedError: Connection refused"),
        (KeyError("ana"), "KeyError"),
    ],
)  # fmt: skip
def test_what_is_said_of_an_exception(error: BaseException, said: str) -> None:
    """Words about servers help an operator; the words of anything else may quote a record."""
    assert told(error) == said


def test_a_traceback_has_lines_of_code_and_nobodys_data() -> None:
    """Where it came from and through what, cause by cause; no variable and no message."""
    name = "Ana Ruiz"
    try:
        try:
            raise ValueError(name)
        except ValueError as error:
            raise RuntimeError(f"{name} cannot be handled") from error
    except RuntimeError as error:
        text = told_at_length(error)
    assert text.count("Traceback (most recent call last):") == 2
    assert re.search(r"test_logs.py\", line \d+, in test_a_traceback", text)
    assert [line for line in text.splitlines() if line.endswith("Error")] == ["ValueError", "RuntimeError"]
    assert "raise ValueError(name)" in text
    assert name not in text.replace('name = "Ana Ruiz"', "")


async def test_a_library_says_where_and_not_what() -> None:
    """A task that failed is logged without its name and without what it failed with, and so is a foreign library."""
    with logged() as written:
        asyncio.get_running_loop().call_exception_handler(
            {
                "message": "Task exception was never retrieved",
                "exception": ValueError("Ana Ruiz"),
                "task": "effects ana",
            }
        )
        logging.getLogger("somebody").warning("no mailbox for %s", "Ana Ruiz")
        logs._Libraries().emit(logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, "two %s %s", ("one",), None))
    first, second, third = entries(written.getvalue())
    assert (first["message"], first["exception"].splitlines()[-1]) == (
        "Task exception was never retrieved", "ValueError"
    )  # fmt: skip
    assert "message" not in second
    assert re.fullmatch(r"test_logs\.py:\d+", second["at"])
    assert "message" not in third
    assert "Ana" not in written.getvalue()


def test_ids_that_are_ours_are_kept() -> None:
    """An operator finds the letter by its id."""
    outreach = str(uuid.uuid4())
    assert allowed(None, "info", {"event": "effect_failed", "outreach": outreach})["outreach"] == outreach
    assert Tracing().on is False
