"""The link in a letter ends letters: from the mailbox through the gateway to both topics, on real servers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from deploy.local.place import free_port
from streams import events
from streams.config import Settings
from tests.live.reading import records, until
from tests.live.roles import Role
from tests.live.writing import writer
from tests.outreach.given import VARIABLES, outreach_id, request
from tests.outreach.servers import SECRET

pytestmark = pytest.mark.live


def letter_to(directory: Path, address: str) -> EmailMessage | None:
    """The letter that the mail server has for the address."""
    for file in directory.glob("*.eml"):
        message = message_from_bytes(file.read_bytes(), policy=default)
        if message["To"] == address:
            assert isinstance(message, EmailMessage)
            return message
    return None


async def engaged(settings: Settings, topic: str) -> list[Any]:
    return [one for one in await records(settings, topic) if isinstance(one, events.OutreachEngaged)]


async def test_the_link_in_a_letter_ends_letters(settings: Settings, role_env: dict[str, str], mail_dir: Path) -> None:
    """A mail program posts to the header's link; outcomes and touchpoints have it, once the call is answered."""
    port = free_port(taken=set())
    base = f"http://127.0.0.1:{port}"
    env = role_env | {
        "CARELINE_PUBLIC_URL": base,
        "CARELINE_LINK_SECRET": "a secret of this test",
        "CARELINE_CALLBACK_SECRET": SECRET,
        "CARELINE_GATEWAY_PORT": str(port),
    }
    now = datetime.now(UTC).replace(microsecond=0)
    address = f"{settings.topic_prefix}ana@mail.example"
    asked = request(
        outreach_id=outreach_id(now.microsecond + int(now.timestamp())),
        addresses=(events.Address(channel=events.OutreachChannel.EMAIL, address=address),),
        variables=VARIABLES,
        requested_at=now,
        useful_until=now + timedelta(hours=1),
    )

    async def arrived() -> EmailMessage | None:
        return letter_to(mail_dir, address)

    async with writer(settings) as topic, Role("outreach", env), Role("gateway", env):
        await topic.write((settings.topics.outreach, asked))
        letter = await until(arrived, lambda found: found is not None)
        assert letter is not None
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = str(letter["List-Unsubscribe"]).strip("<>")
        assert link.startswith(f"{base}/unsubscribe/")
        for kind in ("plain", "html"):
            part = letter.get_body((kind,))
            assert part is not None
            assert link in part.get_content()

        async with httpx.AsyncClient() as client:
            assert (await client.get(link)).status_code == 200
            assert await engaged(settings, "outcomes") == []
            answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            [fact] = await engaged(settings, "outcomes")
            assert await engaged(settings, "touchpoints") == [fact]
            assert (fact.outreach_id, fact.customer_id) == (asked.outreach_id, asked.customer_id)
            assert (fact.kind, fact.detail) == (events.Engagement.UNSUBSCRIBED, "SERVICE")

            said = json.dumps(
                {
                    "outreach_id": asked.outreach_id,
                    "customer_id": asked.customer_id,
                    "channel": "EMAIL",
                    "kind": "BOUNCED",
                    "detail": "550 no such person",
                }
            )
            headers = {
                "webhook-id": "m1",
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(SECRET).sign("m1", now, said),
            }
            answer = await client.post(f"{base}/callbacks/outcomes", content=said, headers=headers)
            assert answer.status_code == 202
    for name in ("outcomes", "touchpoints"):
        [bounced] = [one for one in await records(settings, name) if isinstance(one, events.OutreachFailed)]
        assert (bounced.reason, bounced.detail) == (events.FailureReason.BOUNCED, "550 no such person")
        assert bounced.event_id == answer.json()["event_id"]


async def test_a_coupon_shop_cannot_complain_for_a_customer(settings: Settings, role_env: dict[str, str]) -> None:
    """Its secret is good for redemptions; a complaint signed with it is on no topic, and its own report names it."""
    port = free_port(taken=set())
    shop = "whsec_" + "c2hvcHNob3BzaG9wc2hvcHNob3A="
    env = role_env | {
        "CARELINE_REPORTERS": json.dumps({"coupon-shop": {"secrets": [shop], "kinds": ["REDEEMED"]}}),
        "CARELINE_GATEWAY_PORT": str(port),
    }
    customer = f"ana-{outreach_id(port)}"
    async with Role("gateway", env), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for kind, status in (("COMPLAINED", 403), ("REDEEMED", 202)):
            now = datetime.now(UTC)
            said = json.dumps(
                {"outreach_id": outreach_id(port), "customer_id": customer, "channel": "EMAIL", "kind": kind}
            )
            headers = {
                "webhook-id": kind,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(shop).sign(kind, now, said),
            }
            answer = await client.post("/callbacks/outcomes", content=said, headers=headers)
            assert answer.status_code == status
    for name in ("outcomes", "touchpoints"):
        [fact] = [one for one in await engaged(settings, name) if one.customer_id == customer]
        assert (fact.kind, fact.source) == (events.Engagement.REDEEMED, "careline/gateway/coupon-shop")
