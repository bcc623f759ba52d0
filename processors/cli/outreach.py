"""`careline outreach`: letters, before anybody gets one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from processors.cli.exits import WRONG_SETTINGS, explained
from processors.journey.playbook import worded
from processors.journey.policies import POLICIES
from processors.journey.policies.out_of_stock_save import OutOfStockSave
from processors.outreach.channels import Written
from processors.outreach.examples import examples
from processors.outreach.sources import Sources
from processors.outreach.templates import Templates
from processors.playbook import load_playbook
from processors.view.customer import customer_view
from processors.view.redis_store import RedisViewStore
from streams.clock import SystemClock
from streams.config import Settings
from streams.events import OutreachChannel, OutreachRequested, Profile, Purpose

app = typer.Typer(help="Look at letters before anybody gets one.", no_args_is_help=True)

UNKNOWN = 4
_WHY = {"en": "We want you to hear it from us first."}
_LINK = "https://care.example/unsubscribe/example"


@app.callback()
def letters() -> None:
    """Letters, before anybody gets one."""


@app.command()
def preview(
    template: Annotated[str, typer.Argument(help="The letter, as delay_care/notice.")],
    locale: Annotated[str | None, typer.Option(help="Language, BCP 47; en-US.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="An IANA name; America/New_York.")] = None,
    customer: Annotated[str | None, typer.Option(help="Name, language and zone of this customer of the view.")] = None,
    var: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Instead of the example's.")] = None,
    marketing: Annotated[
        bool, typer.Option("--marketing", help="As an offer, whatever the policy sends it as.")
    ] = False,
    task: Annotated[bool, typer.Option("--task", help="As a task, whatever the policy sends it as.")] = False,
    playbook: Annotated[Path | None, typer.Option(help="With this playbook's own texts.", exists=True)] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Write a letter with example variables, as a customer would get it. Nothing is sent.

    Exit codes: 0 written, 1 it cannot be written, 2 the call or the playbook is wrong, 3 Redis does not answer,
    4 there is no such letter or customer.

    Example: careline outreach preview delay_care/notice --locale de --var name=Ana --html notice.html
    """
    with explained():
        book = load_playbook(playbook)
    texts = book.texts
    known = Sources(texts).letters()
    if template not in known:
        typer.echo(f"There is no letter {template!r}. There are:\n" + "\n".join(f"  {one}" for one in known), err=True)
        raise typer.Exit(UNKNOWN)
    with explained():
        profile = Profile() if customer is None else asyncio.run(_profile(customer))
    variables = {
        **examples().get(template, {}),
        **({"name": profile.name} if profile.name else {}),
        **_given(var or []),
    }
    locale = locale or profile.locale or "en-US"
    zone = time_zone or profile.time_zone or "America/New_York"
    task = task or bool(variables.get("due_at"))  # only what our own people do has a deadline
    offer = (
        book.stock is not None
        and book.stock.purpose is Purpose.MARKETING
        and template.startswith(f"{OutOfStockSave.name}/")
    )
    request = _request(template, variables, locale=locale, time_zone=zone, marketing=marketing or offer)
    channel = OutreachChannel.AGENT_TASK if task else OutreachChannel.EMAIL
    with explained():
        written = Templates(texts=texts).render(request, channel=channel, unsubscribe=None if task else _LINK)
    if html is not None:
        if written.html is None:
            typer.echo("A task has no page.", err=True)
            raise typer.Exit(WRONG_SETTINGS)
        html.write_text(written.html, encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(_data(template, locale, variables, written), indent=2, ensure_ascii=False))
    else:
        _show(written, Console())


async def _profile(customer_id: str) -> Profile:
    """What the view knows of the customer; ends the command where that is nothing."""
    store = RedisViewStore(Settings.from_environment())
    try:
        found = await customer_view(store, customer_id, limit=1)
    finally:
        await store.close()
    if not found.known:
        typer.echo(f"The view does not know {customer_id}.", err=True)
        raise typer.Exit(UNKNOWN)
    return found.profile


def _given(pairs: list[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            typer.echo(f"--var {pair}: write NAME=VALUE", err=True)
            raise typer.Exit(WRONG_SETTINGS)
        given[name] = value
    return given


def _request(
    template: str, variables: Mapping[str, str], *, locale: str, time_zone: str, marketing: bool
) -> OutreachRequested:
    now = SystemClock().now()
    policy = template.split("/")[0]
    why = next((known.why for known in POLICIES if known.name == policy), _WHY)
    return OutreachRequested(
        outreach_id="00000000-0000-0000-0000-000000000000",
        customer_id="example",
        requested_at=now,
        decision_id="00000000-0000-0000-0000-000000000000",
        policy=policy,
        playbook_version="preview",
        journey_id="preview",
        occasion="preview",
        purpose=Purpose.MARKETING if marketing else Purpose.SERVICE,
        template=template,
        locale=locale,
        time_zone=time_zone,
        variables=variables,
        why=worded(why, locale),
        useful_until=now + timedelta(hours=1),
    )


def _data(template: str, locale: str, variables: Mapping[str, str], written: Written) -> dict[str, Any]:
    return {
        "template": template,
        "locale": locale,
        "variables": dict(variables),
        "subject": written.subject,
        "text": written.text,
        "short": written.short,
        "html": written.html,
    }


def _show(written: Written, console: Console) -> None:
    lines = [Text.assemble(("Subject: ", "dim"), (written.subject, "bold")), Text(), Text(written.text.rstrip("\n"))]
    if written.short is not None:
        lines += [Text(), Text.assemble(("Short: ", "dim"), written.short)]
    console.print(Panel(Text("\n").join(lines), width=min(console.width, 100)))
