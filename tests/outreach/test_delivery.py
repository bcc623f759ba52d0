"""Which address gets the letter: in their order, the next only where the one before has certainly not got it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from processors.letters.templates import Templates
from processors.letters.unsubscribe_links import Links
from processors.outreach.channels.agent_task import AgentTaskChannel
from processors.outreach.channels.recording import Planned, RecordingChannel
from processors.outreach.delivery import Delivery
from processors.outreach.errors import Ambiguous, CircuitOpen, RateLimited, Refused, TryLater, Unsendable
from processors.outreach.results import Deliver, Delivered, Failed, Postponed, Unknown
from streams.events import Address, FailureReason, OutreachChannel, OutreachRequested
from streams.processor import Effect
from tests.outreach.given import NOON, request

EMAIL, WEBHOOK, SMS, TASK = (OutreachChannel[name] for name in ("EMAIL", "WEBHOOK", "SMS", "AGENT_TASK"))
MAIL = Address(channel=EMAIL, address="ana@mail.example")
HOOK = Address(channel=WEBHOOK, address="https://ana.example/hook")
PHONE = Address(channel=SMS, address="+15555550100")
BOTH = request(addresses=(HOOK, MAIL))
OPEN = CircuitOpen("left alone", retry_after=timedelta(seconds=20))


class Providers:
    """A mail server, a webhook that drops what it knows, and delivery to both."""

    def __init__(self, **options: Any) -> None:
        self.mail = RecordingChannel(provider="mail")
        self.hook = RecordingChannel(provider="hook", idempotent=True)
        self.delivery = Delivery(
            channels={EMAIL: self.mail, WEBHOOK: self.hook, TASK: AgentTaskChannel()}, templates=Templates(),
            clock=lambda: NOON, **options
        )  # fmt: skip

    async def deliver(self, asked: OutreachRequested, **options: Any) -> Any:
        task = Deliver(request=asked, **options)
        return await self.delivery.perform(Effect(key=asked.outreach_id, lane=asked.customer_id, task=task))

    @property
    def calls(self) -> list[int]:
        return [len(self.hook.calls), len(self.mail.calls)]


@pytest.mark.parametrize("why", [Refused("410"), Unsendable("no message can be made of it"), OPEN])
async def test_the_next_address_gets_what_the_first_certainly_has_not(why: Exception) -> None:
    """Refused for good, or left alone as its provider fails: the customer hears from us all the same."""
    to = Providers()
    to.hook.plan(why)
    result = await to.deliver(BOTH)
    assert isinstance(result, Delivered)
    assert (result.channel, to.calls) == (EMAIL, [1, 1])


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        (TryLater("503"), Postponed(channel=WEBHOOK, provider="hook", detail="503")),
        (
            Planned(Ambiguous("?"), arrived=True),
            Postponed(channel=WEBHOOK, provider="hook", detail="?", perhaps_left=True),
        ),
        (
            RateLimited("10 a second", retry_after=timedelta(seconds=3)),
            Postponed(
                channel=WEBHOOK, provider="hook", detail="10 a second", retry_after=timedelta(seconds=3), in_line=True
            ),
        ),
    ],
)
async def test_the_next_address_is_not_tried_for_less(why: Any, expected: Postponed) -> None:
    """A provider that is busy, or may have sent it, keeps the letter: nobody is written to twice."""
    to = Providers()
    to.hook.plan(why)
    assert await to.deliver(BOTH) == expected
    assert to.calls == [1, 0]


async def test_a_lost_answer_ends_it_where_twice_is_not_once() -> None:
    """E-mail first: it may have arrived, so the webhook is not called."""
    to = Providers()
    to.mail.plan(Planned(Ambiguous("?"), arrived=True))
    assert await to.deliver(request(addresses=(MAIL, HOOK))) == Unknown(channel=EMAIL, provider="mail", detail="?")
    assert to.calls == [0, 1]


@pytest.mark.parametrize(
    ("why", "kind"),
    [(Refused("410"), Unknown), (OPEN, Postponed), (TryLater("503"), Postponed), (Ambiguous("?"), Postponed)],
)
async def test_what_may_have_arrived_takes_no_other_way_later(why: Exception, kind: type) -> None:
    """Not even when the provider says no, or is left alone, at the second call."""
    to = Providers()
    to.hook.plan(why)
    result = await to.deliver(BOTH, perhaps_by=WEBHOOK)
    assert isinstance(result, kind)
    assert to.calls == [1, 0]
    if isinstance(result, Postponed):
        assert result.perhaps_left


async def test_a_provider_left_alone_may_still_take_it_later() -> None:
    """The other address is refused for good; the letter waits for the first."""
    to = Providers()
    to.hook.plan(OPEN)
    to.mail.plan(Refused("550"))
    result = await to.deliver(BOTH)
    assert isinstance(result, Postponed)
    assert (result.channel, result.retry_after) == (WEBHOOK, timedelta(seconds=20))
    assert result.in_line, "it was not tried, so its tries do not become rarer"


async def test_all_refused_is_failed() -> None:
    """The last word is kept."""
    to = Providers()
    to.hook.plan(Refused("410"))
    to.mail.plan(Refused("550"))
    result = await to.deliver(BOTH)
    assert result == Failed(channel=EMAIL, provider="mail", reason=FailureReason.REJECTED, detail="550")


async def test_a_letter_that_no_message_can_be_made_of_is_a_fault_of_ours() -> None:
    """Not a rejection by the provider; a channel left alone meanwhile may still take it."""
    to = Providers()
    to.mail.plan(Unsendable("no"), Unsendable("no"))
    failed = await to.deliver(request(addresses=(MAIL,)))
    assert failed == Failed(channel=EMAIL, provider="mail", reason=FailureReason.TEMPLATE, detail="no")
    to.hook.plan(OPEN)
    assert isinstance(await to.deliver(BOTH), Postponed)


async def test_one_that_does_not_close_keeps_no_other_open() -> None:
    """Every channel lets go of its connections."""
    to = Providers()

    async def fail() -> None:
        raise OSError

    to.mail.close = fail  # type: ignore[method-assign]
    await to.delivery.close()
    assert to.hook.closed


async def test_a_channel_that_is_not_set_up_is_passed_over() -> None:
    """And if there is no other, that is told."""
    to = Providers()
    assert isinstance(await to.deliver(request(addresses=(PHONE, MAIL))), Delivered)
    failed = await to.deliver(request(addresses=(PHONE,)))
    assert isinstance(failed, Failed)
    assert failed.reason is FailureReason.UNREACHABLE


async def test_a_letter_that_cannot_be_written_is_not_sent() -> None:
    """The variable is named."""
    to = Providers()
    failed = await to.deliver(request(addresses=(MAIL,), template="delay_care/nope"))
    assert isinstance(failed, Failed)
    assert (failed.reason, to.calls) == (FailureReason.TEMPLATE, [0, 0])


async def test_a_task_comes_back_as_it_was_written() -> None:
    """For the ledger to publish; it has no page, no foot and no link."""
    to = Providers(links=Links(secret="0123456789abcdef", base="https://care.example"))
    result = await to.deliver(request(addresses=(Address(channel=TASK, address="rescue"),)))
    assert isinstance(result, Delivered)
    assert (result.channel, result.provider) == (TASK, "agents")
    assert result.letter is not None
    assert (result.letter.address, result.letter.html, result.letter.unsubscribe) == ("rescue", None, None)
    assert "Why we wrote" not in result.letter.text


async def test_each_letter_has_the_link_of_its_own_address() -> None:
    """Who follows it ends letters to the address that they got this one at."""
    links = Links(secret="0123456789abcdef", base="https://care.example")
    to = Providers(links=links)
    to.hook.plan(Refused("410"))
    await to.deliver(BOTH)
    for channel, kind in ((to.hook, WEBHOOK), (to.mail, EMAIL)):
        [sent] = channel.calls
        assert sent.unsubscribe is not None
        assert sent.unsubscribe in sent.text
        assert links.read(sent.unsubscribe.rpartition("/")[2]).channel is kind
