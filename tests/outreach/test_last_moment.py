"""Between the decision to call and the letter leaving minutes can pass: it is asked once more at the last moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from processors.letters.templates import Templates
from processors.outreach.channels import Letter, Receipt
from processors.outreach.channels.email import EmailChannel
from processors.outreach.channels.handover import Handover
from processors.outreach.channels.protection import ProtectedChannel, Threshold
from processors.outreach.channels.webhook import WebhookChannel
from processors.outreach.delivery import Delivery
from processors.outreach.results import Deliver, Delivered, Result, Withheld
from streams.clock import ManualClock
from streams.events import Address, OutreachChannel, QuietHoursInForce
from streams.http.destinations import Destinations
from streams.processor import Effect
from tests.outreach.given import NOON, request
from tests.outreach.servers import SECRET, MailSink, WebhookReceiver

EMAIL, WEBHOOK = OutreachChannel.EMAIL, OutreachChannel.WEBHOOK
NIGHT_SOON = QuietHoursInForce(begin="13:00", end="20:00", time_zone="Etc/UTC", channels=(EMAIL,))
HOURS = timedelta(hours=4)


class SlowProvider:
    """Ready to take the letter after what happens meanwhile."""

    provider = "slow"
    idempotent = False

    def __init__(self, meanwhile: Any) -> None:
        self._meanwhile = meanwhile
        self.seen: list[Letter] = []

    async def send(self, letter: Letter) -> Receipt:
        """Connects for a long time."""
        with Handover(self.provider) as call:
            call.called()
            self._meanwhile()
            call.leaving()
            self.seen.append(letter)
            return Receipt(provider=self.provider, message_id=None)

    async def close(self) -> None:
        """Nothing is held."""


async def deliver(delivery: Delivery, **changes: Any) -> Result:
    """One letter by e-mail, of use for three hours from noon."""
    asked = request(**{"addresses": (Address(channel=EMAIL, address="ana@mail.example"),), **changes})
    return await delivery.perform(Effect(key=asked.outreach_id, lane="c", task=Deliver(request=asked)))


@pytest.mark.parametrize("meanwhile", ["its use ends", "night falls", "it is taken back", "nothing"])
async def test_what_happens_while_the_provider_is_slow(meanwhile: str) -> None:
    """The letter does not leave; the provider is not taken for one that fails."""
    clock = ManualClock(NOON)

    def happen() -> None:
        match meanwhile:
            case "its use ends":
                clock.advance(HOURS)
            case "night falls":
                clock.advance(timedelta(hours=1))
            case "it is taken back":
                delivery.withdraw(request().outreach_id)

    slow = SlowProvider(happen)
    guarded = ProtectedChannel(slow, clock=clock.now, threshold=Threshold(1, timedelta(minutes=1)))
    delivery = Delivery(channels={EMAIL: guarded}, templates=Templates(), clock=clock.now)
    result = await deliver(delivery, quiet_hours=NIGHT_SOON)
    assert isinstance(result, Delivered if meanwhile == "nothing" else Withheld)
    assert len(slow.seen) == (meanwhile == "nothing")
    clock.set(NOON)
    again = await deliver(delivery)
    assert isinstance(again, Withheld if meanwhile in ("its use ends", "it is taken back") else Delivered)


class Late:
    """A clock that is past the letter's use from the n-th look on."""

    def __init__(self, looks: int) -> None:
        self._left = looks

    def now(self) -> Any:
        """Noon, and then the evening."""
        self._left -= 1
        return NOON if self._left >= 0 else NOON + HOURS


@pytest.mark.parametrize("looks", [1, 2])
async def test_a_mail_server_never_gets_the_end_of_a_late_letter(looks: int) -> None:
    """Whether its use ends while the connection is made or while it is read, and the next letter leaves."""
    async with MailSink() as sink:
        channel = EmailChannel(url=f"smtp://127.0.0.1:{sink.port}", sender="care@careline.example", clock=lambda: NOON)
        late = Delivery(channels={EMAIL: channel}, templates=Templates(), clock=Late(looks).now)
        assert isinstance(await deliver(late), Withheld)
        well = Delivery(channels={EMAIL: channel}, templates=Templates(), clock=lambda: NOON)
        assert isinstance(await deliver(well), Delivered)
        assert len(sink.messages) == 1
        await channel.close()


@pytest.mark.parametrize("looks", [1, 2])
async def test_a_webhook_never_gets_the_body_of_a_late_letter(looks: int) -> None:
    """The receiver that was slow to connect to sees no letter."""
    async with WebhookReceiver() as receiver:
        channel = WebhookChannel(secret=SECRET, clock=lambda: NOON, destinations=Destinations.parse("127.0.0.0/8"))
        late = Delivery(channels={WEBHOOK: channel}, templates=Templates(), clock=Late(looks).now)
        to = (Address(channel=WEBHOOK, address=receiver.url),)
        assert isinstance(await deliver(late, addresses=to), Withheld)
        assert not receiver.bodies
        await channel.close()
