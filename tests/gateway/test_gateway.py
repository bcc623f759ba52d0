"""The gateway as mail programs, customers and providers meet it: over HTTP, on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from processors.gateway.role import GatewayRole
from processors.letters.unsubscribe_links import Links
from processors.roles import wiring
from processors.settings import Settings
from streams.errors import InvalidEvent, SettingsError, Unavailable
from streams.events import Address, Engagement, OutreachChannel, Purpose
from streams.registry.registry import InMemoryRegistry
from tests.outreach.given import outreach_id, request
from tests.outreach.servers import SECRET
from tests.scraped import Growth

LINK_SECRET = "0123456789abcdef"
SETTINGS = Settings(
    public_url="https://care.example",
    link_secret=SecretStr(LINK_SECRET),
    callback_secret=SecretStr(SECRET),
    gateway_port=0,
)
MAIL = Address(channel=OutreachChannel.EMAIL, address="ana@mail.example")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
SAID = {"outreach_id": outreach_id(1), "customer_id": "customer-7", "channel": "EMAIL", "kind": "CLICKED"}


class Topic:
    """The brokers of one topic."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.away = False
        self.takes = 0.0  # seconds

    async def publish(self, event: Any) -> None:
        await asyncio.sleep(self.takes)
        if self.away:
            raise Unavailable("no broker answers")
        self.taken.append(event)


class Gateway:
    """The role, what it published, and a browser."""

    def __init__(self, role: GatewayRole, topics: tuple[Topic, Topic], client: httpx.AsyncClient) -> None:
        self.role = role
        self.outcomes, self.touchpoints = topics
        self.client = client

    @staticmethod
    def path(*, secret: str = LINK_SECRET, **changes: Any) -> str:
        return Links(secret=secret, base="http://localhost").unsubscribe(request(**changes), MAIL)[
            len("http://localhost") :
        ]

    async def report(
        self, body: Any, *, secret: str = SECRET, at: datetime | None = None, name: str = "m1"
    ) -> httpx.Response:
        content = body if isinstance(body, str) else json.dumps(body)
        at = at or datetime.now(UTC)
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(name, at, content),
        }
        return await self.client.post("/callbacks/outcomes", content=content, headers=headers)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    topics = (Topic(), Topic())
    role = wiring.gateway(SETTINGS, registry=InMemoryRegistry(), publishers=topics)
    await role.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{role.port}") as client:
        yield Gateway(role, topics, client)
    await role.stop()


async def test_one_click_ends_letters(gateway: Gateway) -> None:
    """A mail program posts (RFC 8058): it is done at once, and told to those who measure and those who decide."""
    answer = await gateway.client.post(gateway.path(purpose=Purpose.MARKETING), data=ONE_CLICK)
    assert answer.status_code == 200
    [fact] = gateway.outcomes.taken
    assert gateway.touchpoints.taken == [fact]
    assert (fact.kind, fact.detail, fact.customer_id) == (Engagement.UNSUBSCRIBED, "MARKETING", "customer-7")


async def test_how_long_a_customer_waits_for_the_answer_is_measured(gateway: Gateway) -> None:
    """Of each kind of call by itself, whatever the answer; looking at the page is no call."""
    clicks = Growth("careline_gateway_seconds_count", kind="unsubscribe")
    reports = Growth("careline_gateway_seconds_count", kind="outcome")
    waited = Growth("careline_gateway_seconds_sum", kind="outcome")
    gateway.touchpoints.takes = 0.2
    await gateway.client.get(gateway.path())
    await gateway.client.post(gateway.path(), data=ONE_CLICK)
    for body in (SAID, "{"):
        await gateway.report(body)
    assert (clicks.value, reports.value) == (1, 2)
    assert 0.2 <= waited.value < 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_opening_the_link_changes_nothing(gateway: Gateway, method: str) -> None:
    """Scanners open every link in a mail: they get a page with a button, and nobody is unsubscribed."""
    answer = await gateway.client.request(method, gateway.path())
    assert answer.status_code == 200
    assert gateway.outcomes.taken == gateway.touchpoints.taken == []
    if method == "GET":
        assert '<form method="post">' in answer.text
        assert "Yes, unsubscribe" in answer.text


@pytest.mark.parametrize(
    ("locale", "purpose", "asked", "told"),
    [
        ("en-GB", "SERVICE", "Shall we stop writing to you by e-mail?", "We will not write to you by e-mail any more."),
        ("de-AT", "SERVICE", "per E-Mail nicht mehr schreiben?", "Wir schreiben Ihnen per E-Mail nicht mehr."),
        ("es-MX", "SERVICE", "dejemos de escribirle por correo", "Ya no le escribiremos por correo electrónico."),
        ("en", "MARKETING", "stop sending you offers", "We will not send you offers by e-mail any more."),
        ("de", "MARKETING", "keine Angebote mehr senden?", "keine Angebote mehr."),
        ("es", "MARKETING", "dejemos de enviarle ofertas", "Ya no le enviaremos ofertas"),
        ("pt_BR", "SERVICE", "deixemos de lhe escrever por e-mail?", "Não vamos mais lhe escrever por e-mail."),
        ("FR-ca", "MARKETING", "des offres par e-mail", "Nous ne vous enverrons plus d’offres par e-mail."),
        ("it", "SERVICE", "Shall we stop", "Done."),
    ],
)
async def test_in_the_customers_language(gateway: Gateway, locale: str, purpose: str, asked: str, told: str) -> None:
    """What will happen is said before, and what happened after."""
    path = gateway.path(locale=locale, purpose=Purpose(purpose))
    assert asked in (await gateway.client.get(path)).text
    page = (await gateway.client.post(path, data=ONE_CLICK)).text
    assert told in page
    assert "<form" not in page


async def test_a_page_gives_nothing_away(gateway: Gateway) -> None:
    """The address is the customer's own: it is not kept, not passed on, and nothing foreign is loaded."""
    answer = await gateway.client.get(gateway.path(customer_id="<script>alert(1)</script>"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("wrong", ["forged", "cut", "old"])
async def test_a_link_that_is_none_of_ours(gateway: Gateway, method: str, wrong: str) -> None:
    """A plain sentence, in the browser's language; nobody is unsubscribed."""
    path = {
        "forged": gateway.path(secret="another secret!!"),
        "cut": gateway.path()[:-3],
        "old": "/unsubscribe/eyJvIjoxfQ.x",
    }[wrong]
    answer = await gateway.client.request(method, path, headers={"Accept-Language": "de-DE,de;q=0.9"})
    assert answer.status_code == 404
    assert "Dieser Link ist nicht vollständig." in answer.text
    assert gateway.outcomes.taken == []


async def test_a_link_that_says_what_cannot_be(gateway: Gateway) -> None:
    """Signed by us, and no customer of the contract's in it: it is no link, and no crash."""
    role = wiring.gateway(SETTINGS, registry=InMemoryRegistry(), publishers=(Invalid(),))
    await role.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{role.port}") as client:
        assert (await client.post(gateway.path(), data=ONE_CLICK)).status_code == 404
    await role.stop()


class Invalid:
    """A publisher that finds the event wrong."""

    async def publish(self, event: Any) -> None:
        raise InvalidEvent("customer_id", "is wrong")


async def test_nothing_is_promised_that_was_not_stored(gateway: Gateway) -> None:
    """Without brokers the answer is to try again: by nobody is it taken for done."""
    gateway.touchpoints.away = True
    answer = await gateway.client.post(gateway.path(), data=ONE_CLICK)
    assert answer.status_code == 503
    assert "nothing was changed" in answer.text
    assert (await gateway.report(SAID)).status_code == 503
    gateway.touchpoints.away = False
    assert (await gateway.client.post(gateway.path(), data=ONE_CLICK)).status_code == 200
    first, _, second = gateway.outcomes.taken
    assert first.event_id == second.event_id


async def test_a_provider_reports(gateway: Gateway) -> None:
    """Signed, it is taken; sent again it is the same fact."""
    answers = [await gateway.report(SAID), await gateway.report(SAID)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    first, second = gateway.touchpoints.taken
    assert first.event_id == second.event_id == answers[0].json()["event_id"]
    assert first.kind is Engagement.CLICKED


@pytest.mark.parametrize("how", ["another secret", "too old", "not signed"])
async def test_who_does_not_sign_is_not_heard(gateway: Gateway, how: str) -> None:
    """Another secret, an old message, or none."""
    match how:
        case "another secret":
            answer = await gateway.report(SAID, secret="whsec_" + "QUJD" * 8)
        case "too old":
            answer = await gateway.report(SAID, at=datetime.now(UTC) - timedelta(minutes=10))
        case _:
            answer = await gateway.client.post("/callbacks/outcomes", json=SAID)
    assert answer.status_code == 401
    assert gateway.outcomes.taken == []


@pytest.mark.parametrize(
    ("body", "field"),
    [("{", "body"), ("[]", "body"), (SAID | {"kind": "SEEN"}, "kind"), ({"kind": "OPENED"}, "outreach_id")],
)
async def test_a_report_that_does_not_fit_is_told_by_its_field(gateway: Gateway, body: Any, field: str) -> None:
    """Signed, and wrong."""
    answer = await gateway.report(body)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert gateway.outcomes.taken == []


async def test_a_report_has_a_size(gateway: Gateway) -> None:
    """Nobody fills the memory."""
    assert (await gateway.report(SAID | {"detail": "x" * 100_000})).status_code == 413


async def test_before_the_brokers_are_there() -> None:
    """It listens, says what it waits for, and promises nothing."""
    role = wiring.gateway(SETTINGS.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"}), registry=InMemoryRegistry())
    await role.start()
    assert role.waiting_for()
    assert not role.ready
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{role.port}") as client:
        assert (await client.get(Gateway.path())).status_code == 200
        assert (await client.post(Gateway.path(), data=ONE_CLICK)).status_code == 503
    await role.stop()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(), "CARELINE_PUBLIC_URL, CARELINE_REPORTERS or CARELINE_CALLBACK_SECRET"),
        (Settings(callback_secret=SecretStr("whsec_%")), "CARELINE_CALLBACK_SECRET"),
        (Settings(public_url="https://care.example"), "CARELINE_LINK_SECRET"),
    ],
)
def test_wrong_settings_are_named(settings: Settings, named: str) -> None:
    """At the start."""
    with pytest.raises(SettingsError, match=named):
        wiring.gateway(settings, registry=InMemoryRegistry())


async def test_a_role_without_one_of_them_does_the_other() -> None:
    """Without a callback secret no report is taken, and without a public URL no link is one."""
    for settings, path, status in (
        (SETTINGS.model_copy(update={"callback_secret": None}), "/callbacks/outcomes", 404),
        (SETTINGS.model_copy(update={"public_url": None}), Gateway.path(), 404),
    ):
        role = wiring.gateway(settings, registry=InMemoryRegistry(), publishers=(Topic(),))
        await role.start()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{role.port}") as client:
            assert (await client.post(path, data=ONE_CLICK)).status_code == status
        await role.stop()
