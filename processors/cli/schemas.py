"""`careline schemas`: check the contract's schema files, and register them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

import schemas
from processors.cli.exits import Exit, explained
from processors.settings import Settings
from processors.terminal import Grid, Screen, say, say_json
from schemas.contract import check as check_contract
from schemas.contract import record as record_contract
from streams.registry.recognition import TEXT_ONLY, recognises
from streams.registry.registry import FULL_TRANSITIVE, ConfluentRegistry, Registry
from streams.registry.subjects import Stranger, apply_schemas, find_strangers
from streams.topics import Topics

T = TypeVar("T")

app = typer.Typer(help="The Avro schemas of the contract: check, register, list.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def check(
    record: Annotated[
        bool, typer.Option("--record", help="First record new versions as published; they never change after that.")
    ] = False,
    registry: Annotated[
        bool, typer.Option("--registry", help="Also look for foreign versions under our subjects in the registry.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the schema files against the contract's rules, without a server; with --registry, the registry too.

    Every version can read every other (FULL_TRANSITIVE), everything is documented, facts have their
    common fields, examples are valid, and no published file was edited.

    With --registry it lists each version under our subjects that is not ours, and what differs. A registry accepts
    versions that count in other units, such as money with other decimal places; every reader refuses records written
    with those (dead letters with the reason foreign_schema). Other foreign versions are read like ours.

    Exit codes: 0 all is well, 1 a rule is broken, or records written with some version would be refused, 2 a setting
    is wrong, 3 the registry does not answer.

    Example: careline schemas check --registry
    """
    recorded = record_contract() if record else []
    found = check_contract()
    strangers: tuple[Stranger, ...] = ()
    if registry:
        with explained():
            strangers = asyncio.run(_with_registry(find_strangers))
    if as_json:
        violations = [{"file": violation.file, "problem": violation.problem} for violation in found]
        said: dict[str, Any] = {"recorded": recorded, "violations": violations}
        if registry:
            said["strangers"] = [_as_data(stranger) for stranger in strangers]
        say_json(said)
    else:
        for file in recorded:
            say(f"schemas/{file} is published.")
        for violation in found:
            say(f"schemas/{violation.file}: {violation.problem}")
        if not found:
            versions = sum(len(schemas.versions(name)) for name in schemas.names())
            say(f"{len(schemas.names())} records, {versions} versions: all is well.")
        _warn_of(strangers)
        if registry and not strangers:
            say("The registry has no foreign versions under our subjects.")
    if found or any(stranger.difference.refused for stranger in strangers):
        raise typer.Exit(Exit.FAILED)


@app.command()
def apply(as_json: Json = False) -> None:
    """Register every version at the registry, and make it check later versions for FULL_TRANSITIVE.

    A registry that can close subjects (Confluent's mode READONLY) accepts no other versions until our next
    one. Foreign versions that are there already are named on standard error, with what differs.

    Doing it again changes nothing. Exit codes: 0 all are registered, 1 the registry refuses one,
    2 a setting is wrong, 3 the registry does not answer.

    Example: careline schemas apply
    """
    with explained():
        reports = asyncio.run(_with_registry(apply_schemas))
        settings, one = Settings.from_environment(), reports[0]
        if not asyncio.run(recognises(settings, one.subject, schemas.latest(one.record))):
            say(TEXT_ONLY, err=True)
    strangers = tuple(stranger for report in reports for stranger in report.strangers)
    if as_json:
        say_json(
            [
                {
                    "subject": report.subject,
                    "record": report.record,
                    "schema_id": report.schema_id,
                    "versions": report.versions,
                    "registered": report.registered,
                    "compatibility_was": report.compatibility_was,
                    "compatibility": FULL_TRANSITIVE,
                    "closed": report.closed,
                    "strangers": [_as_data(stranger) for stranger in report.strangers],
                }
                for report in reports
            ]
        )
        return
    grid = Grid(("subject", "id", "versions", "new"), right=("id", "versions", "new"))
    for report in reports:
        if report.registered or report.compatibility_was != FULL_TRANSITIVE:
            grid.add(report.subject, str(report.schema_id), str(report.versions), str(report.registered or ""))
    Screen().grid(grid)
    new = sum(report.registered for report in reports)
    closed = ", closed to foreign versions" if all(report.closed for report in reports) else ""
    say(f"{len(reports)} subjects, checked for {FULL_TRANSITIVE}{closed}; {new or 'nothing'} new.")
    _warn_of(strangers)


@app.command("list")
def show(as_json: Json = False) -> None:
    """Print the records of the contract, their versions, and the subjects they are registered under.

    Exit codes: 0 printed, 2 a setting is wrong.

    Example: careline schemas list --json
    """
    with explained():
        subjects = Settings.from_environment().topics.subjects()
    by_record = {name: [subject for subject, record in subjects if record == name] for name in schemas.names()}
    if as_json:
        say_json(
            [
                {
                    "record": name,
                    "versions": len(schemas.versions(name)),
                    "subjects": found,
                    "doc": schemas.latest(name)["doc"],
                }
                for name, found in by_record.items()
            ]
        )
        return
    grid = Grid(("record", "versions", "subjects"), rigid=("record",), right=("versions",))
    for name, found in by_record.items():
        grid.add(name, str(len(schemas.versions(name))), "\n".join(found))
    Screen().grid(grid)


def _warn_of(strangers: tuple[Stranger, ...]) -> None:
    for stranger in strangers:
        difference = stranger.difference
        what = "; ".join(difference.refused or difference.differs) or "its documentation or the order of its fields"
        fate = "every reader refuses records written with it" if difference.refused else "it is read like ours"
        say(
            f"warning: {stranger.subject} version {stranger.version} (schema id {stranger.schema_id}) is not ours; "
            f"{fate}: {what}",
            err=True,
        )


def _as_data(stranger: Stranger) -> dict[str, Any]:
    return {
        "subject": stranger.subject,
        "record": stranger.record,
        "version": stranger.version,
        "schema_id": stranger.schema_id,
        "refused": list(stranger.difference.refused),
        "differs": list(stranger.difference.differs),
    }


async def _with_registry(done: Callable[[Registry, Topics], Awaitable[T]]) -> T:
    settings = Settings.from_environment()
    registry = ConfluentRegistry(settings)
    try:
        return await done(registry, settings.topics)
    finally:
        await registry.close()
