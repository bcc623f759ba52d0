"""`careline publish`: publish touchpoints from JSON lines."""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import sys
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import Progress

import schemas
from processors.cli.exits import Exit, ended, explained
from processors.cli.record_times import RecordTime, record_time_of
from processors.settings import Settings
from processors.terminal import Screen, say, say_json
from schemas.jsonform import JsonMismatch, from_json
from schemas.shown import joined, short
from streams.avro.records import RECORDS, builder_of
from streams.clock import SystemClock
from streams.errors import InvalidEvent
from streams.events import Touchpoint
from streams.json_names import RepeatedName, unique
from streams.publishing.validation import check_outgoing
from streams.topics import Topics

_LARGE = 1 << 20  # bytes; less is over before a bar would be seen
_LONGEST_LINE = 8 << 20  # bytes; JSON may take six for one of an event, of which there are 1 MiB at most
_MOST_FIELDS = 5
_KINDS = {name.rpartition(".")[2]: name for name in Topics().touchpoints.records}


def publish(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="JSON lines; - reads standard input.")] = "-",
    example: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Print an example of a type as one line, and exit.")
    ] = None,
    record_time: Annotated[
        str,
        typer.Option(
            metavar="now|occurred|TIME",
            help="Kafka timestamp of each record: now, when the event occurred, or one time (ISO 8601) for all.",
        ),
    ] = "now",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the lines; needs no server.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only refused lines and the summary.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON line for each event.")] = False,
) -> None:
    """Publish touchpoints, one JSON object per line: {"type": "DelayNoticed", ...its fields}.

    If event_id is missing, one is generated and printed; if occurred_at is missing, it is now. Events of a customer
    keep their order. A line that breaks the contract is reported with its field and not published; the other lines
    are. The summary says how many were refused, and for which fields.

    Use --record-time occurred for a history: set CARELINE_TIME_SOURCE=events for the roles, and apply the topics with
    --keep-history, or the broker deletes records older than a topic's retention. One warning at the end says so.

    Exit codes: 0 all published, 1 a line was refused, 2 the call or a setting is wrong, 3 Kafka or the registry does
    not answer.

    Example: careline publish --example DelayNoticed | careline publish -
    """
    if example is not None:
        say_json({"type": _kind(example), **schemas.examples(_KINDS[_kind(example)])[0]}, indent=None)
        return
    at = record_time_of(record_time)
    if dry_run:
        with explained(), _opened(file) as lines:
            tally = _Tally(as_json=as_json, quiet=quiet, dry_run=dry_run)
            _check(lines, tally, at)
            tally.end()
        raise typer.Exit(Exit.FAILED if tally.refused else Exit.DONE)
    with explained(), _opened(file) as lines:
        settings = Settings.from_environment()
        tally = _Tally(as_json=as_json, quiet=quiet, dry_run=dry_run)
        with _bar(lines) as advance:
            asyncio.run(_publish(settings, lines, tally, advance, at))
        tally.end()
    if tally.refused:
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True, slots=True)
class _Sent:
    line: int
    event: Touchpoint
    place: asyncio.Future[Any]


class _Tally:
    """Says what became of each line."""

    def __init__(self, *, as_json: bool, quiet: bool, dry_run: bool) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self.published = 0
        self._did = "would be published" if dry_run else "published"
        self._refused: Counter[str] = Counter()

    @property
    def refused(self) -> int:
        return self._refused.total()

    def took(self, sent: _Sent) -> None:
        self.published += 1
        if self._quiet:
            return
        event, place, kind = sent.event, sent.place.result(), type(sent.event).__name__
        if self._as_json:
            said = {"line": sent.line, "type": kind, "event_id": event.event_id, "customer_id": event.customer_id}
            self._data(said | {"topic": place.topic, "partition": place.partition, "offset": place.offset})
        else:
            where = f"{place.topic}[{place.partition}] at {place.offset}"
            say(f"line {sent.line}: {kind} {event.event_id} of {event.customer_id} is in {where}")

    def fine(self, line: int, event: Touchpoint) -> None:
        self.published += 1
        if self._quiet:
            return
        said = {"line": line, "type": type(event).__name__, "customer_id": event.customer_id}
        if self._as_json:
            self._data(said | {"published": False})
        else:
            say(f"line {line}: {said['type']} of {event.customer_id} would be published")

    def refuse(self, line: int, why: InvalidEvent) -> None:
        self._refused[why.field] += 1
        if self._as_json:
            self._data({"line": line, "field": why.field, "problem": why.problem})
        else:
            say(f"line {line}: {why}", err=True)

    def end(self) -> None:
        if not self._as_json:
            fields = ", ".join(f"{field} {times}" for field, times in self._refused.most_common(_MOST_FIELDS))
            more = ", ..." if len(self._refused) > _MOST_FIELDS else ""
            say(f"{self.published} {self._did}, {self.refused} refused{f' ({fields}{more})' if fields else ''}.")
        elif self._quiet:
            self._data({"published": self.published, "refused": self.refused, "fields": dict(self._refused)})

    @staticmethod
    def _data(value: dict[str, Any]) -> None:
        say_json(value, indent=None)


def _check(lines: BinaryIO, tally: _Tally, at: RecordTime) -> None:
    """Every line as it would be published, and nothing published."""
    clock = SystemClock()
    for number, text in _numbered(lines, None):
        try:
            event = read_line(text, now=clock.now())
            check_outgoing(event, now=at(event, clock.now()))
        except InvalidEvent as why:
            tally.refuse(number, why)
        else:
            tally.fine(number, event)


async def _publish(
    settings: Settings, lines: BinaryIO, tally: _Tally, advance: Progress | None, at: RecordTime
) -> None:
    from streams.publishing.publisher import Publisher  # here, as a dry run needs no client

    sent: deque[_Sent] = deque()
    clock = SystemClock()
    async with Publisher(settings, warn=lambda warning: say(f"Warning: {warning}.", err=True)) as publisher:
        try:
            for number, text in _numbered(lines, advance):
                try:
                    event = read_line(text, now=clock.now())
                    sent.append(_Sent(number, event, await publisher.enqueue(event, at=at(event, clock.now()))))
                except InvalidEvent as why:
                    tally.refuse(number, why)
                _told(sent, tally)
            await publisher.flush()
        finally:
            _told(sent, tally)


def read_line(text: bytes, *, now: datetime) -> Touchpoint:
    """The touchpoint of one line; ``now`` is when it occurred where the line does not say.

    Raises InvalidEvent naming the field, or the line where it is no JSON object.
    """
    if len(text) > _LONGEST_LINE:
        raise InvalidEvent("line", f"is longer than {_LONGEST_LINE >> 20} MiB")
    try:
        value = json.loads(text.decode("utf-8-sig"), object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        raise InvalidEvent("line", "is not UTF-8") from error
    except RepeatedName as error:  # nobody can say which is meant
        raise InvalidEvent(joined("", error.name), "stands there twice") from error
    except (ValueError, RecursionError) as error:
        raise InvalidEvent("line", f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidEvent("line", "is not a JSON object")
    kind = value.pop("type", None)
    if not isinstance(kind, str):
        raise InvalidEvent("type", "is missing; it says what happened, such as DelayNoticed")
    name = kind if kind in _KINDS.values() else _KINDS.get(kind)
    if name is None:
        raise InvalidEvent("type", _unknown(kind))
    stated = {"event_id": str(uuid.uuid4()), "occurred_at": now.isoformat()} | value
    try:
        event: Touchpoint = builder_of(RECORDS[name])(from_json(schemas.latest(name), stated))
    except JsonMismatch as error:
        raise InvalidEvent(error.field, error.problem) from error
    return event


def _told(sent: deque[_Sent], tally: _Tally) -> None:
    while sent and (place := sent[0].place).done():
        one = sent.popleft()
        if not place.cancelled() and place.exception() is None:
            tally.took(one)


def _numbered(lines: BinaryIO, advance: Progress | None) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1. Of one that is too long a little more than is taken."""
    number = 0
    while text := lines.readline(_LONGEST_LINE + 1):
        number += 1
        size, piece = len(text), text
        while len(piece) > _LONGEST_LINE and not piece.endswith(b"\n"):
            piece = lines.readline(_LONGEST_LINE + 1)  # however long it goes on, it is not kept
            size += len(piece)
        if advance is not None:
            advance.advance(advance.task_ids[0], size)
        if text.strip():
            yield number, text


def _kind(wanted: str) -> str:
    if wanted not in _KINDS:
        raise ended(f"{_unknown(wanted)}.", Exit.WRONG)
    return wanted


def _unknown(kind: str) -> str:
    meant = difflib.get_close_matches(kind[:60], _KINDS, n=1, cutoff=0.5)
    return f"{short(kind)} is not a touchpoint; " + (
        f"did you mean {meant[0]}?" if meant else f"there are {', '.join(_KINDS)}"
    )


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if file == "-":
        if sys.stdin.isatty():
            say("Reading JSON lines; Ctrl-D ends, careline publish --example TYPE shows one.", err=True)
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise ended(f"{file}: {error.strerror}", Exit.WRONG) from None


def _bar(lines: BinaryIO) -> AbstractContextManager[Progress | None]:
    try:
        size = os.fstat(lines.fileno()).st_size
    except (OSError, ValueError):  # not a file
        return nullcontext()
    console = Screen(stderr=True)
    if not console.is_terminal or size < _LARGE:
        return nullcontext()
    progress = Progress(console=console)
    progress.add_task("publishing", total=size)
    return progress
