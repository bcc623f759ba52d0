"""`careline outreach`: look at letters before any customer receives one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.panel import Panel

from processors.cli.exits import Exit, ended, explained
from processors.journey.naming import policy_of
from processors.journey.wording import Wording, wording
from processors.letters.examples import example_items, examples
from processors.letters.sources import Sources
from processors.letters.templates import Templates
from processors.letters.wording import Written
from processors.playbook import load_playbook
from processors.policies.registry import plugin_of
from processors.settings import Settings
from processors.terminal import Screen, say_json, styled
from processors.view.reading import customer_view
from processors.view.redis_store import RedisViewStore
from streams.clock import SystemClock
from streams.events import OutreachChannel, OutreachRequested, Profile, Purpose, replace

app = typer.Typer(help="Look at letters before any customer receives one.", no_args_is_help=True)

_WHY = {"en": "We want you to hear it from us first."}
_LINK = "https://care.example/unsubscribe/example"


@app.callback()
def letters() -> None:
    """Look at letters before any customer receives one."""


@app.command()
def preview(
    template: Annotated[str, typer.Argument(help="The letter, such as delay_care/notice.")],
    locale: Annotated[str | None, typer.Option(help="Language, BCP 47, such as en-US.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="An IANA name, such as America/New_York.")] = None,
    customer: Annotated[str | None, typer.Option(help="Use the name, language and time zone of this customer.")] = None,
    var: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable, instead of the example's.")
    ] = None,
    marketing: Annotated[bool, typer.Option("--marketing", help="As an offer, whatever the policy sends.")] = False,
    task: Annotated[bool, typer.Option("--task", help="As a task, whatever the policy sends.")] = False,
    playbook: Annotated[Path | None, typer.Option(help="Use the texts of this playbook.", exists=True)] = None,
    html: Annotated[Path | None, typer.Option(help="Write the HTML to this file.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Write a letter with example variables, as a customer would receive it. Nothing is sent.

    Exit codes: 0 written, 1 it cannot be written, 2 the call or the playbook is wrong, 3 Redis does not answer,
    4 there is no such letter or customer.

    Example: careline outreach preview delay_care/notice --locale de --var name=Ana --html notice.html
    """
    with explained():
        book = load_playbook(playbook)
    texts = book.texts
    known = Sources(texts).letters()
    if template not in known:
        raise ended(
            f"There is no letter {template!r}. There are:\n" + "\n".join(f"  {one}" for one in known), Exit.ABSENT
        )
    with explained():
        profile = Profile() if customer is None else asyncio.run(_profile(customer))
    own = {**({"name": profile.name} if profile.name else {}), **_given(var or [])}
    locale = locale or profile.locale or "en-US"
    zone = time_zone or profile.time_zone or "America/New_York"
    # only tasks for staff have a deadline
    task = task or bool({**examples().get(template, {}), **own}.get("due_at"))
    plugin = plugin_of(policy_of(template))
    rules = None if plugin is None else book.rules_of(plugin.rules)
    offer = rules is not None and rules.letters_are() is Purpose.MARKETING
    said = wording(book, locale, letter=template, why=_WHY if plugin is None else plugin.policy.why, task=task)
    variables = {**examples(said.locale).get(template, {}), **own}
    request = _request(template, variables, said, time_zone=zone, marketing=marketing or offer)
    request = replace(request, items=example_items(template, said.locale))
    channel = OutreachChannel.AGENT_TASK if task else OutreachChannel.EMAIL
    with explained():
        written = Templates.of(book).render(request, channel=channel, unsubscribe=None if task else _LINK)
    if html is not None:
        if written.html is None:
            raise ended("A task has no HTML page.", Exit.WRONG)
        html.write_text(written.html, encoding="utf-8")
    if as_json:
        say_json(_data(template, variables, written))
    else:
        _show(written, Screen())


async def _profile(customer_id: str) -> Profile:
    """What the view knows of the customer; ends the command where that is nothing."""
    store = RedisViewStore(Settings.from_environment())
    try:
        found = await customer_view(store, customer_id, limit=1)
    finally:
        await store.close()
    if not found.known:
        raise ended(f"The view does not know {customer_id}.", Exit.ABSENT)
    return found.profile


def _given(pairs: list[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ended(f"--var {pair}: write NAME=VALUE", Exit.WRONG)
        given[name] = value
    return given


def _request(
    template: str, variables: Mapping[str, str], said: Wording, *, time_zone: str, marketing: bool
) -> OutreachRequested:
    now = SystemClock().now()
    return OutreachRequested(
        outreach_id="00000000-0000-0000-0000-000000000000",
        customer_id="example",
        requested_at=now,
        decision_id="00000000-0000-0000-0000-000000000000",
        policy=policy_of(template),
        playbook_version="preview",
        journey_id="preview",
        occasion="preview",
        purpose=Purpose.MARKETING if marketing else Purpose.SERVICE,
        template=template,
        locale=said.locale,
        time_zone=time_zone,
        variables=variables,
        why=said.why,
        useful_until=now + timedelta(hours=1),
    )


def _data(template: str, variables: Mapping[str, str], written: Written) -> dict[str, Any]:
    return {
        "template": template,
        "locale": written.locale,
        "variables": dict(variables),
        "subject": written.subject,
        "text": written.text,
        "short": written.short,
        "html": written.html,
    }


def _show(written: Written, console: Screen) -> None:
    text = styled(("Subject: ", "dim"), (f"{written.subject}\n\n", "bold"), written.text.rstrip("\n"), lines=True)
    if written.short is not None:
        text = styled(text, ("\n\nShort: ", "dim"), written.short, lines=True)
    console.print(Panel(text, width=min(console.width, 100)))
