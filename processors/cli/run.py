"""`careline run`: one role, in the foreground, until it is told to stop."""

from __future__ import annotations

import typer

from processors.cli.exits import explained
from processors.roles.running import run
from processors.roles.wiring import role_of
from processors.settings import Settings

app = typer.Typer(
    help="Run one role in the foreground until Ctrl-C or SIGTERM: journeys, outreach, view, measure or gateway.",
    no_args_is_help=True,
)


@app.command()
def journeys() -> None:
    """Keep journey states up to date and decide who hears from us.

    Reads touchpoints; writes journeys, decisions and outreach.

    Example: CARELINE_OPS_PORT=9101 careline run journeys
    """
    _run("journeys")


@app.command()
def outreach() -> None:
    """Deliver requested outreach, each once: e-mail, signed webhooks, SMS, push, tasks for staff.

    Example: CARELINE_SMTP_URL=smtp://127.0.0.1:1025 careline run outreach
    """
    _run("outreach")


@app.command()
def view() -> None:
    """Project journeys, touchpoints, decisions and outcomes to Redis, for `careline customer` and `careline tasks`.

    Example: careline run view
    """
    _run("view")


@app.command()
def measure() -> None:
    """Count letters by policy and hour, and compare the satisfaction of customers written to and others (a Faust app).

    Example: CARELINE_OPS_PORT=9104 careline run measure
    """
    _run("measure")


@app.command()
def gateway() -> None:
    """Accept unsubscribe requests and providers' reports over HTTP.

    Example: CARELINE_PUBLIC_URL=https://care.example CARELINE_LINK_SECRET_FILE=/run/secrets/links careline run gateway
    """
    _run("gateway")


def _run(name: str) -> None:
    with explained():
        settings = Settings.from_environment()
        run(name, settings, role_of(name, settings))
