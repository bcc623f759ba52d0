"""Short messages through Apprise, on a real server."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator

import pytest

from processors.outreach.channels.apprise_service import AppriseChannel
from processors.outreach.errors import Ambiguous, Refused, TryLater
from streams.errors import SettingsError
from streams.events import Gesture, OutreachChannel
from tests.outreach.given import letter
from tests.outreach.servers import MessageService

NUMBER = "+1 (555) 555-0100"
GIFT = Gesture(code="movie", title="a movie", cost=0, currency="USD", link="https://care.example/g/1")


@pytest.fixture
async def service() -> AsyncIterator[MessageService]:
    async with MessageService() as running:
        yield running


def sms(url: str) -> AppriseChannel:
    return AppriseChannel(kind=OutreachChannel.SMS, url=url, setting="CARELINE_SMS_URL")


def push(url: str) -> AppriseChannel:
    return AppriseChannel(kind=OutreachChannel.PUSH, url=url, setting="CARELINE_PUSH_URL")


async def test_an_sms_is_a_few_words(service: MessageService) -> None:
    """The letter's own short form; else its subject, and where to pick the gesture up."""
    channel = sms(service.apprise_url)
    await channel.send(letter(1, address=NUMBER, short="Late: 9:45 pm"))
    await channel.send(letter(2, address=NUMBER, gesture=GIFT))
    await channel.send(letter(3, address=NUMBER))
    assert service.seen == [
        ("+15555550100", "Late: 9:45 pm"),
        ("+15555550100", "Your flight is running late\nhttps://care.example/g/1"),
        ("+15555550100", "Your flight is running late"),
    ]
    assert set(service.titles) == {""}
    await channel.close()


async def test_a_push_has_a_title(service: MessageService) -> None:
    """The subject, and below it the short form; a token comes through as it is."""
    channel = push(service.apprise_url)
    await channel.send(letter(address="tok:en~1.+_-%2f?x=1&y", short="9:45 pm"))
    assert service.seen == [("tok:en~1.+_-%2f?x=1&y", "9:45 pm")]
    assert service.titles == ["Your flight is running late"]
    await channel.close()


@pytest.mark.parametrize("status", ["408", "425", "429", "500", "503"])
async def test_a_service_in_trouble_is_asked_later(service: MessageService, status: str) -> None:
    """Its own no for now: the message certainly did not leave."""
    service.next.append(status)
    with pytest.raises(TryLater, match=f"answered {status}") as later:
        await sms(service.apprise_url).send(letter(address=NUMBER))
    assert later.value.answered == (status < "500")


@pytest.mark.parametrize("status", ["400", "401", "404", "410", "422"])
async def test_a_final_no_is_one(service: MessageService, status: str) -> None:
    """The next address may do."""
    service.next.append(status)
    with pytest.raises(Refused, match=f"answered {status}"):
        await sms(service.apprise_url).send(letter(address=NUMBER))


async def test_a_service_that_is_not_there_has_certainly_not_sent_it() -> None:
    """Connection refused, or a name that nobody has: later."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for host in (f"127.0.0.1:{port}", "nobody.invalid"):
        with pytest.raises(TryLater, match="cannot be reached"):
            await sms(f"json://{host}/{{address}}").send(letter(address=NUMBER))


@pytest.mark.parametrize("how", ["drop", "hang"])
@pytest.mark.parametrize("token", ["a", "(Caused by NewConnectionError(", "error=503", "Socket Exception: "])
async def test_a_lost_answer_is_told_as_one(service: MessageService, how: str, token: str) -> None:
    """It has the message and does not say so: nobody knows, whatever stands in the address."""
    service.next.append(how)
    with pytest.raises(Ambiguous, match="did not answer"):
        await push(service.apprise_url).send(letter(address=token))
    assert [recipient for recipient, _ in service.seen] == [token]


@pytest.mark.parametrize(
    "address", ["", " ", "ana@mail.example", "5", "12345678901234567", "+0123456", "555/0100/1?to=2"]
)
async def test_what_is_no_telephone_number_is_refused(service: MessageService, address: str) -> None:
    """Apprise would leave it out, and some services then write to the sender."""
    with pytest.raises(Refused):
        await sms(service.apprise_url).send(letter(address=address))
    assert service.calls == 0


@pytest.mark.parametrize(
    "url", ["json://127.0.0.1/", "nope://{address}", "{address}", "twilio://secret-token@1/{address}"]
)
def test_a_url_that_is_none_is_a_wrong_setting(url: str) -> None:
    """Found at the start; the setting is named, and no password shown."""
    with pytest.raises(SettingsError, match="CARELINE_SMS_URL") as error:
        sms(url)
    assert "secret-token" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "json://{address}/",
        "json://{address}:80/x",
        "jsons://user@{address}/",
        "json://{address}@h/",
        "json://{address}?x=1",
    ],
)
def test_no_customer_says_which_host_is_called(url: str) -> None:
    """Their address stands behind the host of the service, never in its place: 2130706433 is this very machine."""
    with pytest.raises(SettingsError, match=r"CARELINE_SMS_URL.*after the host"):
        sms(url)


@pytest.mark.parametrize("token", [".", "..", "../admin", "a/../b", "a/.", "/.."])
async def test_no_customer_says_which_path_is_called(service: MessageService, token: str) -> None:
    """Steps upwards would lead elsewhere at the service."""
    with pytest.raises(Refused):
        await push(service.apprise_url).send(letter(address=token))
    assert service.calls == 0


class Kept(logging.Handler):
    """What would be written to the role's log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def test_nothing_personal_is_logged(service: MessageService) -> None:
    """Apprise logs addresses and messages; that goes no further than the channel."""
    kept = Kept()
    logging.getLogger().addHandler(kept)
    try:
        service.next.append("400")
        with pytest.raises(Refused) as refused:
            await sms(service.apprise_url).send(letter(address=NUMBER))
    finally:
        logging.getLogger().removeHandler(kept)
    assert "5555550100" not in "".join(kept.lines) + str(refused.value)
