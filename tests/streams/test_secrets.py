"""No secret in any message, repr, log, metric or list of processes."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer.main
from prometheus_client import generate_latest
from pydantic import SecretStr

from deploy.local import probes
from deploy.local.stack import Stack
from processors.cli import app
from processors.letters.links import Links
from processors.outreach.channels.apprise_service import AppriseChannel
from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.handover import Handover
from processors.outreach.role import channels_of
from processors.roles import wiring
from processors.settings import Settings
from processors.view.redis_store import RedisViewStore
from streams import metrics
from streams.errors import CarelineError, SettingsError
from streams.registry.registry import ConfluentRegistry
from streams.secrets import redacted, split_credentials, without_credentials
from tests.outreach.given import NOON, letter

MARK = "mArKeR"
PASSWORDS = [
    f"{MARK}1", f"{MARK}/{MARK}2", f"{MARK}#{MARK}", f"{MARK}?x={MARK}", f"{MARK}@{MARK}", f"[{MARK}", f"{MARK}\u2100",
    f"{MARK}%2F{MARK}", f"{MARK}:{MARK}", f"{MARK} {MARK}", "\n" + MARK,
]  # fmt: skip


def environment(password: str) -> dict[str, str]:
    """Every secret that there is, on servers that nobody runs."""
    found = {
        f"CARELINE_{name.upper()}": password
        for name, field in Settings.model_fields.items()
        if SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
    }
    assert len(found) >= 9
    return found | {
        "CARELINE_REGISTRY_URL": f"http://ann:{password}@127.0.0.1:9",
        "CARELINE_REDIS_URL": f"redis://ann:{password}@127.0.0.1:9/0",
        "CARELINE_SMTP_URL": f"smtp://ann:{password}@127.0.0.1:9",
        "CARELINE_SMS_URL": f"json://ann:{password}@127.0.0.1:9/{{address}}",
        "CARELINE_PUSH_URL": f"json://ann:{password}@127.0.0.1:9/{{address}}",
        "CARELINE_PUBLIC_URL": "https://care.example",
        "CARELINE_KAFKA_SASL_USERNAME": "ann",
    }


def told(error: BaseException) -> str:
    """Everything that anybody could print of it."""
    return "\n".join([str(error), repr(error), *traceback.format_exception(error, limit=0)])


async def broken(settings: Settings) -> list[str]:
    """What is said when everything that takes a secret fails."""
    heard: list[str] = [repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()]

    async def registry() -> None:
        client = ConfluentRegistry(settings)
        heard.append(repr(client))
        await client.versions("x")

    async def view() -> None:
        store = RedisViewStore(settings)
        heard.append(f"{store!r} {store.address}")
        await store.load()

    async def mail() -> None:
        channel = EmailChannel(url=settings.smtp_url.get_secret_value(), sender="care@care.example", clock=lambda: NOON)
        heard.append(f"{channel!r} {vars(channel)!r}")
        await channel.send(letter())

    async def message() -> None:
        assert settings.sms_url is not None
        channel = AppriseChannel(
            kind=letter().channel, url=settings.sms_url.get_secret_value(), setting="CARELINE_SMS_URL"
        )
        heard.append(repr(channel))
        with Handover("sms"):
            await channel.send(letter(address="+15555550100"))

    async def gateway() -> None:
        heard.append(repr(wiring.gateway(settings)))

    async def links() -> None:
        heard.append(repr(Links.of(settings)))

    async def channels() -> None:
        heard.append(repr(channels_of(settings)))

    tries: list[Callable[[], Awaitable[None]]] = [registry, view, mail, message, gateway, links, channels]
    for tried in tries:
        try:
            await tried()
        except CarelineError as error:
            heard.append(told(error))
        except Exception as error:
            heard.append(told(error))
    return heard


@pytest.mark.parametrize("password", PASSWORDS)
async def test_no_secret_is_told(password: str, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Every secret is a marker, every server is down or its address is broken by what is in the password: the marker is
    in no message, no repr, no traceback, no log and no metric."""
    caplog.set_level(logging.DEBUG)
    written = io.StringIO()
    before = structlog.get_config()
    with_variables = structlog.dev.ConsoleRenderer()  # a traceback of it shows what every variable holds
    structlog.configure(
        processors=[*before["processors"][:-1], with_variables],
        logger_factory=structlog.PrintLoggerFactory(file=written),
    )
    variables = environment(password)
    try:
        try:
            heard = await broken(Settings.from_environment(variables))
        except SettingsError as error:
            heard = [told(error)]
    finally:
        structlog.configure(**before)
    for probe, variable in ((probes.registry, "REGISTRY"), (probes.redis_server, "REDIS"), (probes.smtp, "SMTP")):
        heard.append(probes.silence(probe, variables[f"CARELINE_{variable}_URL"]) or "")
    stack = Stack(tmp_path, environ=variables | {"CARELINE_STACK": "env", "CARELINE_KAFKA_BOOTSTRAP": "127.0.0.1:9"})
    heard.append(repr(stack.status()))
    heard += [written.getvalue(), caplog.text, generate_latest(metrics.REGISTRY).decode()]
    assert [one for one in heard if MARK in one] == []
    assert any("127.0.0.1:9" in one for one in heard)


@pytest.mark.parametrize("variable", sorted(environment("x")))
def test_a_wrong_setting_is_not_quoted(variable: str) -> None:
    """A setting that is refused is named, and what was written there is not told: secrets end up in wrong places."""
    wrong = {"CARELINE_PARTITIONS": MARK, "CARELINE_EMAIL_RATE": MARK, "CARELINE_LOG_LEVEL": MARK, variable: MARK}
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment(wrong)
    assert MARK not in told(refusal.value)


def test_the_registry_is_called_with_what_stood_in_its_address() -> None:
    """Credentials in the registry's address are its user and password, as ever; settings of their own go first."""
    settings = Settings.from_environment({"CARELINE_REGISTRY_URL": "https://ann:p%40ss@registry.example/v7"})
    assert settings.registry_url == "https://registry.example/v7"
    assert settings.registry_username == "ann"
    assert settings.registry_password is not None
    assert settings.registry_password.get_secret_value() == "p@ss"
    own = Settings.from_environment(
        {"CARELINE_REGISTRY_URL": "https://ann:x@registry.example", "CARELINE_REGISTRY_USERNAME": "bob"}
    )
    assert (own.registry_url, own.registry_username) == ("https://registry.example", "bob")


def test_no_secret_is_an_argument() -> None:
    """Arguments can be read in the list of processes by everybody on a machine: no command takes a secret as one."""

    def parameters(command: Any) -> list[str]:
        names = [name for one in command.params for name in (*one.opts, *one.secondary_opts)]
        below = getattr(command, "commands", {}).values()
        return names + [name for one in below for name in parameters(one)]

    named = parameters(typer.main.get_command(app))
    assert len(named) > 50
    assert [name for name in named if any(word in name for word in ("secret", "password", "token", "-url"))] == []


def test_an_address_is_shown_without_its_secrets() -> None:
    """Host and path stay readable, as somebody has to find the server."""
    assert without_credentials("redis://:a/b@c@host:1/0?password=x") == "redis://host:1/0"
    assert without_credentials("host:1") == "host:1"
    assert split_credentials("http://ann:a:b@host") == ("http://host", "ann", "a:b")
    assert redacted("cannot: wOrd1", "redis://host?password=wOrd1") == "cannot: ***"
