"""What every channel promises, real or not: SMTP, webhooks, Apprise, also behind a protection, and the twin of all."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from processors.outreach.channels import Channel, Letter
from processors.outreach.channels.apprise_service import AppriseChannel
from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.protection import ProtectedChannel, Rate, Threshold
from processors.outreach.channels.recording import Planned, RecordingChannel
from processors.outreach.channels.webhook import WebhookChannel
from processors.outreach.errors import Ambiguous, Refused, TryLater
from streams.events import OutreachChannel
from streams.http.destinations import Destinations
from tests.outreach.given import NOON, letter
from tests.outreach.servers import SECRET, MailSink, MessageService, WebhookReceiver


class Provider:
    """A channel, and the ways to make its provider fail. ``seen`` lists the outreach ids that reached the customer."""

    def __init__(
        self,
        channel: Channel,
        *,
        address: str,
        seen: Callable[[], list[str]],
        refuse: Callable[[], None],
        postpone: Callable[[], None],
        lose_the_answer: Callable[[], None],
        names: bool = True,
    ) -> None:
        self.channel = channel
        self.seen = seen
        self.refuse = refuse
        self.postpone = postpone
        self.lose_the_answer = lose_the_answer
        self.names = names
        self._address = address

    def letter(self, number: int = 1) -> Letter:
        made = letter(number)
        return dataclasses.replace(made, address=self._address, short=f"late {made.outreach_id}")


def protected(channel: Channel) -> Channel:
    """The channel behind a breaker and a rate that are never felt."""
    return ProtectedChannel(
        channel,
        clock=lambda: NOON,
        threshold=Threshold(failures=100, pause=timedelta(seconds=1)),
        rate=Rate.parse("10000/s"),
    )


PATIENCE = timedelta(seconds=30)
"""Nothing here hangs; what takes longer says that the machine is busy."""


def twin(*, idempotent: bool) -> Provider:
    channel = RecordingChannel(idempotent=idempotent)
    return Provider(
        channel,
        address="anywhere",
        seen=lambda: [each.outreach_id for each in channel.seen],
        refuse=lambda: channel.plan(Refused("no")),
        postpone=lambda: channel.plan(TryLater("not now")),
        lose_the_answer=lambda: channel.plan(Planned(Ambiguous("?"), arrived=True)),
    )


@pytest.fixture(
    params=["email", "webhook", "sms", "push", "protected email", "protected webhook", "twin", "idempotent twin"]
)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    first, _, kind = request.param.rpartition(" ")
    wrap = protected if first == "protected" else lambda channel: channel
    if kind == "email":
        async with MailSink() as sink:
            email = EmailChannel(
                url=f"smtp://127.0.0.1:{sink.port}",
                sender="Careline <care@careline.example>",
                clock=lambda: NOON,
                timeout=PATIENCE,
                patience=PATIENCE,
            )
            yield Provider(
                wrap(email),
                address="ana@mail.example",
                seen=lambda: [str(message["Careline-Outreach-Id"]) for message in sink.messages],
                refuse=lambda: sink.next.append("at-rcpt 550 no such person"),
                postpone=lambda: sink.next.append("at-rcpt 451 busy"),
                lose_the_answer=lambda: sink.next.append("drop-after-dot"),
            )
            await email.close()
    elif kind in ("sms", "push"):
        async with MessageService(seconds=PATIENCE.seconds) as service:
            channel = AppriseChannel(
                kind=OutreachChannel[kind.upper()], url=service.apprise_url, setting="CARELINE_SMS_URL"
            )
            yield Provider(
                channel,
                address="+1 555 555 0100",
                seen=lambda: [message.partition(" ")[2] for _, message in service.seen],
                refuse=lambda: service.next.append("400"),
                postpone=lambda: service.next.append("503"),
                lose_the_answer=lambda: service.next.append("drop"),
                names=False,
            )
            await channel.close()
    elif kind == "webhook":
        async with WebhookReceiver() as receiver:
            webhook = WebhookChannel(
                secret=SECRET,
                clock=lambda: datetime.now(UTC),
                timeout=PATIENCE,
                destinations=Destinations.parse("127.0.0.1"),
            )
            yield Provider(
                wrap(webhook),
                address=receiver.url,
                seen=lambda: list(receiver.seen),
                refuse=lambda: receiver.next.append("410"),
                postpone=lambda: receiver.next.append("503"),
                lose_the_answer=lambda: receiver.next.append("drop"),
            )
            await webhook.close()
    else:
        yield twin(idempotent=request.param == "idempotent twin")


async def test_a_letter_that_was_taken_arrives_once(provider: Provider) -> None:
    """A receipt means that the customer has the letter; it says who carried it, and by which name to ask for it."""
    receipt = await provider.channel.send(provider.letter())
    assert provider.seen() == [provider.letter().outreach_id]
    assert receipt.provider == provider.channel.provider
    assert (receipt.message_id is not None) is provider.names
    assert provider.letter().outreach_id in (receipt.message_id or provider.letter().outreach_id)


async def test_sent_again_is_seen_again_only_where_the_channel_says_so(provider: Provider) -> None:
    """`idempotent` is the truth: the same letter sent twice is seen once exactly where it is promised."""
    first = await provider.channel.send(provider.letter())
    second = await provider.channel.send(provider.letter())
    assert first == second
    assert len(provider.seen()) == (1 if provider.channel.idempotent else 2)


async def test_a_refused_letter_does_not_arrive_and_harms_no_other(provider: Provider) -> None:
    """A final no is told as Refused; the next letter goes out as if nothing had been."""
    provider.refuse()
    with pytest.raises(Refused) as refused:
        await provider.channel.send(provider.letter(1))
    assert refused.value.detail
    await provider.channel.send(provider.letter(2))
    assert provider.seen() == [provider.letter(2).outreach_id]


async def test_a_postponed_letter_has_not_arrived_and_can_be_sent_later(provider: Provider) -> None:
    """TryLater is certain: nothing arrived, so the same letter may be sent again on any channel."""
    provider.postpone()
    with pytest.raises(TryLater):
        await provider.channel.send(provider.letter())
    assert provider.seen() == []
    await provider.channel.send(provider.letter())
    assert provider.seen() == [provider.letter().outreach_id]


async def test_a_lost_answer_is_never_taken_for_a_no(provider: Provider) -> None:
    """The letter arrived and the answer was lost: Ambiguous, neither Refused nor TryLater."""
    provider.lose_the_answer()
    with pytest.raises(Ambiguous):
        await provider.channel.send(provider.letter())
    assert provider.seen() == [provider.letter().outreach_id]


async def test_after_a_lost_answer_an_idempotent_channel_can_be_asked_again(provider: Provider) -> None:
    """What the dispatcher does after a crash is right on each channel: asked again, an idempotent one shows it once."""
    provider.lose_the_answer()
    with pytest.raises(Ambiguous):
        await provider.channel.send(provider.letter())
    await provider.channel.send(provider.letter())
    assert len(provider.seen()) == (1 if provider.channel.idempotent else 2)


@pytest.mark.parametrize("address", ["", "a@b.example\r\nBcc: all@b.example", "https://a.example/\nx"])
async def test_a_broken_address_is_refused_before_anything_leaves(provider: Provider, address: str) -> None:
    """An address that can carry something else along is no address."""
    with pytest.raises(Refused):
        await provider.channel.send(dataclasses.replace(provider.letter(), address=address))
    assert provider.seen() == []


async def test_many_letters_at_once_all_arrive_once(provider: Provider) -> None:
    """A snow storm: fifty letters at the same moment."""
    letters = [provider.letter(number) for number in range(50)]
    await asyncio.gather(*(provider.channel.send(each) for each in letters))
    assert sorted(provider.seen()) == sorted(each.outreach_id for each in letters)


async def test_a_closed_channel_sends_nothing(provider: Provider) -> None:
    """After close a letter is TryLater; closing twice is harmless."""
    await provider.channel.send(provider.letter(1))
    await provider.channel.close()
    await provider.channel.close()
    with pytest.raises(TryLater):
        await provider.channel.send(provider.letter(2))
    assert provider.seen() == [provider.letter(1).outreach_id]
