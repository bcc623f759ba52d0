"""`careline schemas`: the contract's schema files, checked and brought to the registry."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

import schemas
from processors.cli.exits import FAILED, explained
from schemas import contract
from streams.config import Settings
from streams.provision import SubjectReport, apply_schemas
from streams.recognition import TEXT_ONLY, recognises
from streams.registry import FULL_TRANSITIVE, ConfluentRegistry

app = typer.Typer(help="The Avro schemas of the contract: checked, registered, listed.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def check(
    record: Annotated[
        bool, typer.Option("--record", help="Record new versions as published first; from then on they never change.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hold the schema files to the contract's rules, without a server.

    Every version reads and is read by every other (FULL_TRANSITIVE), everything is documented, facts have their
    common fields, examples fit, and no published file was edited.

    Exit codes: 0 all is well, 1 a rule is broken.

    Example: careline schemas check
    """
    recorded = contract.record() if record else []
    found = contract.check()
    if as_json:
        violations = [{"file": violation.file, "problem": violation.problem} for violation in found]
        typer.echo(json.dumps({"recorded": recorded, "violations": violations}, indent=2))
    else:
        for file in recorded:
            typer.echo(f"schemas/{file} is published now.")
        for violation in found:
            typer.echo(f"schemas/{violation.file}: {violation.problem}")
        if not found:
            versions = sum(len(schemas.versions(name)) for name in schemas.names())
            typer.echo(f"{len(schemas.names())} records, {versions} versions: all is well.")
    if found:
        raise typer.Exit(FAILED)


@app.command()
def apply(as_json: Json = False) -> None:
    """Register every version at the registry, and have it check what comes later for FULL_TRANSITIVE.

    Doing it again changes nothing. Exit codes: 0 all are registered, 1 the registry refuses one,
    2 a setting is wrong, 3 the registry does not answer.

    Example: careline schemas apply
    """
    with explained():
        settings = Settings.from_environment()
        reports = asyncio.run(_apply(settings))
        one = reports[0]
        if not asyncio.run(recognises(settings, one.subject, schemas.latest(one.record))):
            typer.echo(TEXT_ONLY, err=True)
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "subject": report.subject,
                        "record": report.record,
                        "schema_id": report.schema_id,
                        "versions": report.versions,
                        "registered": report.registered,
                        "compatibility_was": report.compatibility_was,
                        "compatibility": FULL_TRANSITIVE,
                    }
                    for report in reports
                ],
                indent=2,
            )
        )
        return
    table = Table(Column("subject", no_wrap=True), "id", "versions", "new", box=None, pad_edge=False)
    for report in reports:
        if report.registered or report.compatibility_was != FULL_TRANSITIVE:
            table.add_row(
                escape(report.subject), str(report.schema_id), str(report.versions), str(report.registered or "")
            )
    if table.row_count:
        Console().print(table)
    new = sum(report.registered for report in reports)
    typer.echo(f"{len(reports)} subjects, checked for {FULL_TRANSITIVE}; {new or 'nothing'} new.")


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
        typer.echo(
            json.dumps(
                [
                    {
                        "record": name,
                        "versions": len(schemas.versions(name)),
                        "subjects": found,
                        "doc": schemas.latest(name)["doc"],
                    }
                    for name, found in by_record.items()
                ],
                indent=2,
            )
        )
        return
    table = Table(
        Column("record", no_wrap=True), "versions", Column("subjects", overflow="fold"), box=None, pad_edge=False
    )
    for name, found in by_record.items():
        table.add_row(name, str(len(schemas.versions(name))), escape("\n".join(found)))
    Console().print(table)


async def _apply(settings: Settings) -> tuple[SubjectReport, ...]:
    registry = ConfluentRegistry(settings)
    try:
        return await apply_schemas(registry, settings.topics)
    finally:
        await registry.close()
