"""One strange reply, one exhausted connection, one address that leads inside: each costs itself, on real servers."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streams import Publisher, events
from streams.config import Settings
from streams.errors import InvalidEvent
from streams.events import Address, OutreachChannel, replace
from tests.live.reading import dead_letters, messages, states, until
from tests.live.roles import Role
from tests.live.writing import writer
from tests.outreach.given import VARIABLES, outreach_id, request
from tests.outreach.servers import SECRET, RawMailServer, WebhookReceiver

pytestmark = pytest.mark.live

EMAIL, WEBHOOK = OutreachChannel.EMAIL, OutreachChannel.WEBHOOK
LATIN = b"550 Empf\xe4nger unbekannt\r\n"


def asked(number: int, *addresses: Address) -> events.OutreachRequested:
    """A letter that is asked for now; all of them for one customer, so that they follow one another."""
    now = datetime.now(UTC).replace(microsecond=0)
    return request(
        outreach_id=outreach_id(number),
        addresses=addresses or (Address(channel=EMAIL, address=f"ana{number}@mail.example"),),
        variables=VARIABLES,
        requested_at=now,
        useful_until=now + timedelta(hours=1),
    )


async def ends(settings: Settings, count: int) -> dict[str, Any]:
    """The outcome of each outreach, once there are so many."""

    async def told() -> dict[str, Any]:
        return {message.record.outreach_id: message.record for message in await messages(settings, "outcomes")}

    return await until(told, lambda found: len(found) >= count, within=60)


class Choosy(RawMailServer):
    """Refuses one recipient, in Latin-1."""

    unknown = b"ana3@"

    def _say(self, writer: Any, what: str) -> bool:
        if what == "RCPT" and self.unknown in self.line:
            writer.write(LATIN)
            return True
        return super()._say(writer, what)


async def test_a_refusal_in_latin_1_costs_its_letter_and_no_other(settings: Settings, role_env: dict[str, str]) -> None:
    """It is told as rejected, with what the server said; the letters before and after it are sent."""
    async with Choosy() as server, writer(settings) as topic:
        env = role_env | {"CARELINE_SMTP_URL": f"smtp://localhost:{server.port}"}
        async with Role("outreach", env):
            await topic.write(*((settings.topics.outreach, asked(number)) for number in range(8)))
            told = await ends(settings, 8)
    refused = told.pop(outreach_id(3))
    assert isinstance(refused, events.OutreachFailed)
    assert refused.reason is events.FailureReason.REJECTED
    assert refused.detail == r"550 Empf\xe4nger unbekannt"
    assert {type(one) for one in told.values()} == {events.OutreachSent}
    assert len(server.taken) == 7


async def test_a_server_that_takes_three_letters_a_connection_gets_all_ten(
    settings: Settings, role_env: dict[str, str]
) -> None:
    """Within seconds, at the first try of each."""
    async with RawMailServer(most=3) as server, writer(settings) as topic:
        env = role_env | {"CARELINE_SMTP_URL": f"smtp://localhost:{server.port}"}
        async with Role("outreach", env):
            began = time.monotonic()
            await topic.write(*((settings.topics.outreach, asked(number)) for number in range(10)))
            told = await ends(settings, 10)
            took = time.monotonic() - began
    assert {type(one) for one in told.values()} == {events.OutreachSent}
    assert len(server.taken) == 10
    assert took < 20


async def test_a_webhook_that_leads_inside_is_not_called(settings: Settings, role_env: dict[str, str]) -> None:
    """It is told as rejected with the reason, and the customer's next address has the letter."""
    async with WebhookReceiver() as receiver, RawMailServer() as server, writer(settings) as topic:
        env = role_env | {
            "CARELINE_SMTP_URL": f"smtp://localhost:{server.port}",
            "CARELINE_WEBHOOK_SECRET": SECRET,
        }
        inside = Address(channel=WEBHOOK, address=receiver.url)
        async with Role("outreach", env):
            await topic.write(
                (settings.topics.outreach, asked(1, inside)),
                (settings.topics.outreach, asked(2, inside, Address(channel=EMAIL, address="ana@mail.example"))),
                (settings.topics.outreach, asked(3, Address(channel=WEBHOOK, address="https://169.254.169.254/"))),
            )
            told = await ends(settings, 3)
    assert receiver.calls == 0
    assert [told[outreach_id(number)].channel for number in (1, 2, 3)] == [WEBHOOK, EMAIL, WEBHOOK]
    assert (told[outreach_id(1)].reason, told[outreach_id(1)].detail) == (
        "REJECTED",
        "the webhook is not an https link",
    )
    assert told[outreach_id(3)].detail == "the webhook leads into a network that is not public"


async def test_a_profile_with_such_a_webhook_keeps_all_else(settings: Settings, role_env: dict[str, str]) -> None:
    """The publisher is told the field; from another producer, the dead letters tell it, and the rest is folded."""
    mail = Address(channel=EMAIL, address="ana@mail.example")
    profile = events.ProfileUpdated(
        event_id=str(uuid.uuid4()),
        customer_id="ana",
        occurred_at=datetime.now(UTC).replace(microsecond=0),
        source="test",
        name="Ana",
        addresses=(Address(channel=WEBHOOK, address="http://10.0.0.5/"), mail),
    )
    async with Publisher(settings) as publisher:
        with pytest.raises(InvalidEvent, match="addresses: the webhook at place 0 is not an https link"):
            await publisher.publish(profile)
    allowing = settings.model_copy(update={"webhook_allow": "10.0.0.0/8"})
    async with Publisher(allowing) as publisher, Role("journeys", role_env):
        await publisher.publish(profile)
        await publisher.publish(replace(profile, event_id=str(uuid.uuid4()), customer_id="bo", addresses=(mail,)))
        found = await until(lambda: states(settings), lambda now: {"ana", "bo"} <= set(now))
        refused = await dead_letters(settings)
    assert found["ana"].profile.addresses == (mail,)
    assert found["ana"].profile.name == "Ana"
    assert [one.reason for one in refused] == ["invalid_addresses"]
