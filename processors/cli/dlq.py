"""`careline dlq`: records that could not be read, the reasons, and replaying them once the cause is gone."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from processors.cli.exits import Exit, ended, explained
from processors.dead_letters import Kept, all_kept, once_each, publish_again
from processors.settings import Settings
from processors.terminal import Grid, Screen, clean, say, say_json
from streams.clock import from_millis

app = typer.Typer(help="Dead letters: records that could not be read, and why.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Reasons = Annotated[
    list[str] | None, typer.Option("--reason", metavar="CODE", help="Only this reason; may be repeated.")
]
Places = Annotated[
    list[str] | None,
    typer.Option("--offset", metavar="[PARTITION:]OFFSET", help="Only this one, as listed; may be repeated."),
]

_ROW = 16


@app.command("list")
def show_all(
    each: Annotated[bool, typer.Option("--each", help="One row per dead letter instead of one per cause.")] = False,
    reason: Reasons = None,
    as_json: Json = False,
) -> None:
    """Count the dead letters by reason and origin; with --each, list every one.

    Exit codes: 0 printed, 2 a setting is wrong, 3 Kafka does not answer.

    Example: careline dlq list --each --reason unknown_schema
    """
    with explained():
        letters = [one for one in _read() if not reason or one.letter.reason in reason]
    if each:
        _show_each(letters, as_json)
    else:
        _show_causes(letters, as_json)


@app.command()
def show(
    offset: Annotated[str, typer.Argument(metavar="[PARTITION:]OFFSET", help="As listed by careline dlq list --each.")],
    as_json: Json = False,
) -> None:
    """Print one dead letter: its reason, origin, headers and bytes.

    Exit codes: 0 printed, 2 no dead letter has this offset, 3 Kafka does not answer.

    Example: careline dlq show 2:15
    """
    with explained():
        kept = _at([offset], _read())[0]
    if as_json:
        value = None if kept.letter.value is None else kept.letter.value.hex()
        headers = [[name, _text(content)] for name, content in kept.letter.headers]
        say_json({**_as_data(kept), "headers": headers, "value": value})
        return
    letter = kept.letter
    rows = [
        ("why", f"{letter.reason}: {letter.detail}"),
        ("from", f"{kept.origin} at {letter.offset}, {_time(letter.timestamp)}"),
        ("read by", letter.reader),
        ("put aside", f"{kept.place}, {_time(kept.at)}"),
        ("key", "none" if letter.key is None else _text(letter.key)),
        ("schema id", "none" if letter.schema_id is None else str(letter.schema_id)),
        *((f"header {name}", _text(value)) for name, value in letter.headers),
    ]
    if letter.truncated:
        rows.append(("shortened", f"only the beginning is kept of: {', '.join(letter.truncated)}"))
        rows.append(("whole value", f"{letter.length} bytes, SHA-256 {letter.sha256}; careline dlq replay fetches it"))
    for name, said in rows:
        say(f"{name}: {clean(said)}")
    if letter.value is None:
        say("value: none (a tombstone)")
    else:
        say(f"value: {len(letter.value)} bytes")
        for line in hexdump(letter.value):
            say(line)


@app.command()
def replay(
    reason: Reasons = None,
    offset: Places = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> None:
    """Publish dead letters again to the topics they came from, with the same bytes, key and headers.

    Do it once the cause is gone. Nothing is removed from the dead-letter topic. A record that several readers
    rejected is published once; one that was read after all is recognised by its event_id, so replaying twice changes
    nothing.

    Exit codes: 0 all of it published (or nothing to do), 1 some were not, or you declined, 2 the call or a setting
    is wrong, 3 Kafka does not answer.

    Example: careline dlq replay --reason unknown_schema
    """
    with explained():
        settings = Settings.from_environment()
        letters = [one for one in _read() if not reason or one.letter.reason in reason]
        chosen = once_each(_at(offset, letters) if offset else letters)
        ours = {settings.topics.full_name(topic) for topic in settings.topics.all()}
        ours.discard(settings.topics.full_name(settings.topics.dead_letters))
        going = [one for one in chosen if one.letter.topic in ours]
        if going and not yes:
            _ask(going)
        refused = asyncio.run(publish_again(settings, going)) if going else []
    strangers = len(chosen) - len(going)
    counts = {"replayed": len(going) - len(refused), "refused": len(refused), "of_no_topic_of_ours": strangers}
    if as_json:
        say_json(counts, indent=None)
    else:
        for kept, why in refused:
            say(f"{kept.place}: {why}", err=True)
        if strangers:
            say(f"{strangers} came from topics outside this contract and are not published.", err=True)
        say(f"{counts['replayed']} published again; the dead letters are kept.")
    if refused or strangers:
        raise typer.Exit(Exit.FAILED)


def _read() -> list[Kept]:
    return asyncio.run(all_kept(Settings.from_environment()))


def _at(places: Sequence[str], letters: list[Kept]) -> list[Kept]:
    found: list[Kept] = []
    for place in places:
        here = [one for one in letters if place in (one.place, str(one.offset))]
        if len(here) > 1:
            _wrong(f"{place} is in several partitions: say {' or '.join(one.place for one in here)}")
        if not here:
            _wrong(f"there is no dead letter at {place}; careline dlq list --each lists all of them")
        found += here
    return found


def _wrong(message: str) -> NoReturn:
    raise ended(message, Exit.WRONG)


def _ask(letters: list[Kept]) -> None:
    if not sys.stdin.isatty():
        _wrong("Not a terminal: use --yes to publish them again.")
    for (topic, why), count in sorted(Counter((one.letter.topic, one.letter.reason) for one in letters).items()):
        say(f"{count} x {why} to {topic}", err=True)
    typer.confirm(f"Publish {len(letters)} record(s) again?", abort=True, err=True)


def _show_causes(letters: list[Kept], as_json: bool) -> None:
    causes: dict[tuple[str, str], list[Kept]] = {}
    for one in letters:
        causes.setdefault((one.letter.reason, one.letter.topic), []).append(one)
    rows = sorted(causes.items(), key=lambda cause: -len(cause[1]))
    if as_json:
        data = [
            {"reason": why, "topic": topic, "count": len(some), "first": _iso(some[0].at), "last": _iso(some[-1].at)}
            for (why, topic), some in rows
        ]
        say_json(data)
        return
    columns = ("reason", "topic", "count", "first", "last", "for example")
    grid = Grid(columns, rigid=("reason", "topic"), right=("count",))
    for (why, topic), some in rows:
        detail = clean(some[-1].letter.detail)[:80]
        cells = (why, topic, str(len(some)), _time(some[0].at), _time(some[-1].at), f"{some[-1].place} {detail}")
        grid.add(*cells)
    _show_table(grid)


def _show_each(letters: list[Kept], as_json: bool) -> None:
    if as_json:
        say_json([_as_data(one) for one in letters])
        return
    grid = Grid(("offset", "reason", "from", "key", "at", "why"), rigid=("offset", "reason"))
    for one in letters:
        letter = one.letter
        key = "" if letter.key is None else clean(_text(letter.key))
        came = f"{one.origin} at {letter.offset}"
        cells = (one.place, letter.reason, came, key, _time(one.at), clean(letter.detail)[:80])
        grid.add(*cells)
    _show_table(grid)


def _show_table(grid: Grid) -> None:
    if grid.rows:
        Screen().grid(grid)
    else:
        say("No dead letters.")


def _as_data(kept: Kept) -> dict[str, Any]:
    letter = kept.letter
    return {
        "partition": kept.partition,
        "offset": kept.offset,
        "at": _iso(kept.at),
        "reason": letter.reason,
        "detail": letter.detail,
        "reader": letter.reader,
        "origin": {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset},
        "key": None if letter.key is None else _text(letter.key),
        "schema_id": letter.schema_id,
        "bytes": None if letter.value is None else len(letter.value),
        "truncated": list(letter.truncated),
        "length": letter.length,
        "sha256": letter.sha256,
    }


def hexdump(value: bytes, *, most: int = 4096) -> list[str]:
    """Offset, sixteen bytes and their letters a line; of a long value the first ``most`` bytes."""
    lines = []
    for begin in range(0, min(len(value), most), _ROW):
        part = value[begin : begin + _ROW]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{begin:08x}  {part.hex(' '):<{3 * _ROW - 1}}  {letters}")
    if len(value) > most:
        lines.append(f"... {len(value) - most} bytes more")
    return lines


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode(errors="backslashreplace")


def _iso(millis: int) -> str:
    return from_millis(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%d %H:%M:%S}" if millis >= 0 else "unknown time"
