"""Channels to reach a customer: one protocol, and the letters and receipts that pass through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from processors.letters.wording import Written
from streams.events.outreach import OutreachRequested
from streams.events.types import Address, Gesture, OutreachChannel, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One outreach, rendered and addressed. Personal data is left out of its ``repr``, and so out of the logs.

    ``unsubscribe`` is the one-click unsubscribe link (RFC 8058), if there is one.
    """

    outreach_id: str
    customer_id: str
    channel: OutreachChannel
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    short: str | None = field(default=None, repr=False)
    unsubscribe: str | None = field(default=None, repr=False)
    purpose: Purpose = Purpose.SERVICE
    locale: str
    policy: str
    template: str
    journey_id: str
    why: str
    requested_at: datetime
    useful_until: datetime
    gesture: Gesture | None = None
    revises: str | None = None

    @classmethod
    def of(
        cls, request: OutreachRequested, *, address: Address, written: Written, unsubscribe: str | None = None
    ) -> Self:
        """The letter of ``request`` to one of its addresses."""
        return cls(
            outreach_id=request.outreach_id,
            customer_id=request.customer_id,
            channel=address.channel,
            address=address.address,
            subject=written.subject,
            text=written.text,
            html=written.html,
            short=written.short,
            unsubscribe=unsubscribe,
            purpose=request.purpose,
            locale=written.locale,
            policy=request.policy,
            template=request.template,
            journey_id=request.journey_id,
            why=request.why,
            requested_at=request.requested_at,
            useful_until=request.useful_until,
            gesture=request.gesture,
            revises=request.revises,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The provider accepted the letter. ``message_id`` is the provider's id for it."""

    provider: str
    message_id: str | None


class Channel(Protocol):
    """Carries letters to one kind of address. Safe to use from concurrent tasks.

    ``provider``: who carries them, a short stable name such as ``smtp``.
    ``idempotent``: the same ``outreach_id`` may be sent again after a crash; the customer still sees it once.
    """

    @property
    def provider(self) -> str: ...

    @property
    def idempotent(self) -> bool: ...

    async def send(self, letter: Letter) -> Receipt:
        """Hand the letter over, once.

        Raises Refused (never), TryLater (certainly not sent) or Ambiguous (unknown) and nothing else; a ``Handover``
        around it ensures this.
        A closed channel raises TryLater.
        """

    async def close(self) -> None:
        """Close every connection. Idempotent."""
