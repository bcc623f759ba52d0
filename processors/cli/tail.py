"""`careline tail`: print the records of a topic as they are committed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
import typer

import schemas
from processors.cli.exits import Exit, ended, explained
from processors.settings import Settings
from processors.terminal import clean, say, say_json
from processors.view.wording import decided, summary, words
from schemas.jsonform import to_json
from streams.avro.records import NAMES, to_values
from streams.clock import from_millis
from streams.events import Contact, Decision, Delay, JourneyState, Order, OutreachLedgerEntry, Record
from streams.subscribing.dead_letters import DeadLetter
from streams.subscribing.subscriber import Message, Subscriber

_DEAD_LETTERS = "dead-letters"


def tail(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="A topic of careline topics list, with or without prefix.")
    ],
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Also print existing records.")] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="Print existing records, then exit.")] = False,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only this customer.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Exit after this many records.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON line for each record.")] = False,
) -> None:
    """Print the records of a topic as they are committed: time, customer, content. Ends on Ctrl-C.

    Without an option it shows new records only. Records of aborted transactions are never
    shown; unreadable ones are reported on standard error. Times are in UTC.

    Exit codes: 0 ended, 2 there is no such topic or a setting is wrong, 3 Kafka or the registry does not answer.

    Example: careline tail outreach --from-beginning --customer customer-0001
    """
    with explained(), _logs_on_stderr(), suppress(KeyboardInterrupt):
        settings = Settings.from_environment()
        name = topic.removeprefix(settings.topic_prefix)
        known = [one.name for one in settings.topics.all()]
        if name not in known:
            raise ended(f"{topic!r} is not a topic of the contract; there are {', '.join(known)}.", Exit.WRONG)
        subscriber = Subscriber(settings, name, from_end=not (from_beginning or until_end), until_end=until_end)
        follow = _dead_letters if name == _DEAD_LETTERS else _records
        asyncio.run(follow(subscriber, customer, limit, as_json))


async def _records(subscriber: Subscriber, customer: str | None, limit: int | None, as_json: bool) -> None:
    shown = 0
    async with subscriber:
        async for message in subscriber:
            whose = getattr(message.record, "customer_id", message.key)
            if customer in (None, whose):
                _print(as_data(message) if as_json else as_line(message))
                shown += 1
                if shown == limit:
                    return


async def _dead_letters(subscriber: Subscriber, customer: str | None, limit: int | None, as_json: bool) -> None:
    shown = 0
    async with subscriber:
        async for raw in subscriber.raw():
            letter = DeadLetter.of(raw)
            key = "" if letter.key is None else letter.key.decode(errors="replace")
            if customer in (None, key):
                where = {"topic": raw.topic, "partition": raw.partition, "offset": raw.offset}
                at = from_millis(raw.timestamp)
                said = {"reason": letter.reason, "detail": letter.detail, "reader": letter.reader}
                origin = {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset}
                data = {**where, "at": _iso(at), "key": key, **said, "origin": origin}
                came = f"{letter.topic}[{letter.partition}] at {letter.offset}"
                line = f"{_clock(at)}  {key}  {letter.reason}  {letter.detail} (from {came})"
                _print(data if as_json else clean(line))
                shown += 1
                if shown == limit:
                    return


def as_line(message: Message) -> str:
    """The message for a person: time, customer, record, and what it says."""
    record = message.record
    if record is None:
        return clean(f"{_clock(from_millis(message.timestamp))}  {message.key}  (deleted)")
    whose = getattr(record, "customer_id", message.key)
    return clean(f"{_clock(_at(message, record))}  {whose}  {type(record).__name__}  {_says(record)}")


def as_data(message: Message) -> dict[str, Any]:
    """The message for a program; times are ISO 8601, ``record`` is as `careline publish` takes it, None if deleted."""
    record = message.record
    name = None if record is None else NAMES[type(record)]
    return {
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "at": _iso(from_millis(message.timestamp)),
        "key": message.key,
        "type": None if name is None else name.rpartition(".")[2],
        "record": None if name is None else to_json(schemas.latest(name), to_values(record)),
    }


def _says(record: Record) -> str:
    match record:
        case JourneyState():
            journeys: tuple[Delay | Order | Contact, ...] = (*record.delays, *record.orders, *record.contacts)
            opened = sum(one.closed_at is None for one in journeys)
            name = f"{record.profile.name}, " if record.profile.name else ""
            return f"{name}revision {record.revision}, {record.touchpoints} touchpoints, {opened} open"
        case Decision():
            return f"{record.policy} {decided(record, UTC)}, {record.occasion}: {record.explanation}"
        case OutreachLedgerEntry():
            return f"outreach {record.outreach_id} {words(record.status)}, attempts {record.attempts}"
        case _:
            return summary(record, UTC)


def _at(message: Message, record: Record) -> datetime:
    for name in ("occurred_at", "decided_at", "requested_at", "retracted_at", "updated_at"):
        if isinstance(moment := getattr(record, name, None), datetime):
            return moment
    return from_millis(message.timestamp)


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _print(said: str | dict[str, Any]) -> None:
    if isinstance(said, str):
        say(said)
    else:
        say_json(said, indent=None)


@contextmanager
def _logs_on_stderr() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr), cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
