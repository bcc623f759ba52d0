"""Who may report what: each provider or shop signs with a secret of its own, and says what it may."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from processors.roles import wiring
from processors.settings import Settings
from streams.errors import SettingsError
from streams.registry.registry import InMemoryRegistry
from tests.gateway.test_gateway import SAID, SETTINGS, Gateway, Topic
from tests.outreach.servers import SECRET


def secret(word: str) -> str:
    return "whsec_" + base64.b64encode(word.encode() * 8).decode()


SHOP, SHOP_BEFORE, MAIL, STRANGER = secret("shop"), secret("shop-before"), secret("mail"), secret("stranger")
CALLBACKS_BEFORE = secret("callbacks-before")
REPORTERS = {
    "coupon-shop": {"secrets": [SHOP, SHOP_BEFORE], "kinds": ["REDEEMED"]},
    "mail-provider": {"secrets": [MAIL], "kinds": ["BOUNCED", "COMPLAINED", "OPENED"], "channels": ["EMAIL"]},
}


def settings(reporters: Any = REPORTERS, **changes: Any) -> Settings:
    text = reporters if isinstance(reporters, str) else json.dumps(reporters)
    return SETTINGS.model_copy(
        update={"reporters": SecretStr(text), "callback_secret_before": SecretStr(CALLBACKS_BEFORE)} | changes
    )


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    topics = (Topic(), Topic())
    role = wiring.gateway(settings(), registry=InMemoryRegistry(), publishers=topics)
    await role.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{role.port}") as client:
        yield Gateway(role, topics, client)
    await role.stop()


@pytest.mark.parametrize(
    ("signed_by", "kind", "channel"),
    [
        (SHOP, "REDEEMED", "EMAIL"), (SHOP, "REDEEMED", "SMS"), (SHOP_BEFORE, "REDEEMED", "EMAIL"),
        (MAIL, "COMPLAINED", "EMAIL"), (MAIL, "BOUNCED", "EMAIL"), (CALLBACKS_BEFORE, "COMPLAINED", "SMS"),
    ],
)  # fmt: skip
async def test_a_reporter_says_what_it_may(gateway: Gateway, signed_by: str, kind: str, channel: str) -> None:
    """Also with the secret before, while it is exchanged for a new one; who said it is on record."""
    answer = await gateway.report(SAID | {"kind": kind, "channel": channel}, secret=signed_by)
    assert answer.status_code == 202
    [fact] = gateway.touchpoints.taken
    who = {SHOP: "coupon-shop", SHOP_BEFORE: "coupon-shop", MAIL: "mail-provider", CALLBACKS_BEFORE: "callbacks"}
    assert fact.source == f"careline/gateway/{who[signed_by]}"


@pytest.mark.parametrize(
    ("signed_by", "kind", "channel", "field"),
    [
        (SHOP, "COMPLAINED", "EMAIL", "kind"), (SHOP, "UNSUBSCRIBED", "EMAIL", "kind"),
        (SHOP, "BOUNCED", "EMAIL", "kind"), (SHOP_BEFORE, "COMPLAINED", "SMS", "kind"),
        (MAIL, "REDEEMED", "EMAIL", "kind"), (MAIL, "COMPLAINED", "SMS", "channel"),
        (MAIL, "BOUNCED", "OTHER", "channel"),
    ],
)  # fmt: skip
async def test_a_reporter_says_no_more(gateway: Gateway, signed_by: str, kind: str, channel: str, field: str) -> None:
    """A coupon shop cannot complain for anybody, a mail provider closes no phone: 403, and nothing is stored."""
    answer = await gateway.report(SAID | {"kind": kind, "channel": channel}, secret=signed_by)
    assert (answer.status_code, answer.json()["field"]) == (403, field)
    assert gateway.outcomes.taken == gateway.touchpoints.taken == []


async def test_the_same_message_id_of_two_reporters_is_two_facts(gateway: Gateway) -> None:
    """Nobody can make another's report be taken for a repeat."""
    await gateway.report(SAID | {"kind": "REDEEMED"}, secret=SHOP, name="1")
    await gateway.report(SAID | {"kind": "OPENED"}, secret=MAIL, name="1")
    await gateway.report(SAID | {"kind": "OPENED"}, name="1")
    await gateway.report(SAID | {"kind": "OPENED"}, name="coupon-shop/1")
    assert len({fact.event_id for fact in gateway.touchpoints.taken}) == 4


async def test_a_stranger_is_not_heard(gateway: Gateway) -> None:
    """401."""
    assert (await gateway.report(SAID, secret=STRANGER)).status_code == 401
    assert gateway.outcomes.taken == []


def headers(**changes: str) -> dict[str, str]:
    now = datetime.now(UTC)
    stamp, body = str(int(now.timestamp())), json.dumps(SAID | {"kind": "REDEEMED"})
    signed = {
        "webhook-id": "m1",
        "webhook-timestamp": stamp,
        "webhook-signature": Webhook(SHOP).sign("m1", now, body),
    }
    return {name: changes.get(name.partition("-")[2], "{}").replace("{}", value) for name, value in signed.items()}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "{}, m2"}, {"id": "{},{}"}, {"id": "m 1"}, {"id": "m" * 300}, {"timestamp": "{}, 1"},
        {"timestamp": "{}.5"}, {"timestamp": "1e9"}, {"timestamp": "+{}"}, {"timestamp": "{}_0"},
        {"signature": "{}, v1,AAAA"}, {"signature": "v1,AAAA,{}"}, {"signature": "{} v1"}, {"signature": "{} x"},
        {"signature": "{}" + " v1,AAAA" * 20}, {"signature": "v1,é"}, {"signature": "v1;AAAA"},
    ],
    ids=repr,
)  # fmt: skip
async def test_combined_and_malformed_headers_are_refused(gateway: Gateway, changes: dict[str, str]) -> None:
    """What a proxy made of a repeated header, and what is no number, id or signature: 401, though a part fits."""
    sent = {name.encode(): value.encode() for name, value in headers(**changes).items()}
    answer = await gateway.client.post(
        "/callbacks/outcomes", content=json.dumps(SAID | {"kind": "REDEEMED"}), headers=list(sent.items())
    )
    assert answer.status_code == 401
    assert gateway.outcomes.taken == []


@pytest.mark.parametrize("signature", ["v1a,AAAA {}", "{} v1,AAAA", "v1,AAAA {}"])
async def test_one_of_several_signatures_is_enough(gateway: Gateway, signature: str) -> None:
    """A sender that exchanges its secret signs with both."""
    answer = await gateway.client.post(
        "/callbacks/outcomes",
        content=json.dumps(SAID | {"kind": "REDEEMED"}),
        headers=headers(signature=signature),
    )
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "reporters",
    [
        "no json", "[]", '{"shop": 7}', '{"a": {}, "a": {}}',
        {"Shop!": REPORTERS["coupon-shop"]}, {"callbacks": REPORTERS["coupon-shop"]},
        {"shop": {"secrets": [], "kinds": ["OPENED"]}}, {"shop": {"secrets": [SHOP] * 3, "kinds": ["OPENED"]}},
        {"shop": {"secrets": ["whsec_%"], "kinds": ["OPENED"]}},
        {"shop": {"secrets": ["whsec_QUJD"], "kinds": ["OPENED"]}},
        {"shop": {"secrets": [SHOP], "kinds": []}}, {"shop": {"secrets": [SHOP], "kinds": ["SEEN"]}},
        {"shop": {"secrets": [SHOP], "kinds": ["OPENED"], "channels": ["PIGEON"]}},
        {"shop": {"secrets": [SHOP], "kinds": ["OPENED"], "kind": 1}},
        {"a": {"secrets": [SHOP], "kinds": ["OPENED"]}, "b": {"secrets": [SHOP], "kinds": ["CLICKED"]}},
        {"shop": {"secrets": [SECRET.rstrip("=")], "kinds": ["OPENED"]}},
    ],
    ids=range(16),
)  # fmt: skip
def test_wrong_reporters_are_told_at_the_start(reporters: Any) -> None:
    """By name, and without their secrets; two reporters never share one."""
    with pytest.raises(SettingsError, match="CARELINE_REPORTERS") as told:
        wiring.gateway(settings(reporters), registry=InMemoryRegistry())
    assert not any(one.removeprefix("whsec_") in str(told.value) for one in (SHOP, "whsec_QUJD"))


async def test_reporters_alone_are_enough() -> None:
    """Neither links nor the secret for everybody are needed."""
    alone = settings(public_url=None, callback_secret=None, callback_secret_before=None)
    role = wiring.gateway(alone, registry=InMemoryRegistry(), publishers=(Topic(), Topic()))
    await role.start()
    assert role.ready
    await role.stop()
