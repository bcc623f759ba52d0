"""Conversations: opened, answered, closed, sometimes opened again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.state import put
from streams.events import (
    Channel,
    Contact,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    JourneyState,
    Resolution,
    replace,
)


def opened(state: JourneyState, event: ContactOpened) -> JourneyState:
    """A contact begins, or one that was closed begins again."""
    known = _known(state, event)
    contact = replace(
        known,
        channel=event.channel,
        matter=event.matter or known.matter,
        summary=event.summary or known.summary,
        opened_at=min(known.opened_at, event.occurred_at),
    )
    if known.closed_at is not None and event.occurred_at > known.closed_at:
        # opened again: the customer waits from now on, and nobody has answered yet
        contact = replace(
            contact,
            opened_at=event.occurred_at,
            came_back_at=event.occurred_at,
            closed_before=known.closed_at if known.replied_at is not None else known.closed_before,
            closed_at=None,
            replied_at=None,
            resolution=Resolution.UNKNOWN,
        )
    return _with(state, contact, event)


def replied(state: JourneyState, event: ContactReplied) -> JourneyState:
    """Somebody answered; only a person's answer counts as a reply. An answer to a post is no contact of its own."""
    at = event.occurred_at
    if not event.automated:
        state = answered(state, event.contact_id, at)
    posted = any(mention.mention_id == event.contact_id for mention in state.mentions)
    if posted and all(contact.contact_id != event.contact_id for contact in state.contacts):
        return state
    known = _known(state, event)
    contact = replace(known, answered_at=max(known.answered_at or at, at))
    if not event.automated:
        contact = replace(contact, replied_at=min(known.replied_at or at, at))
    return _with(state, contact, event)


def answered(state: JourneyState, mention_id: str, at: datetime) -> JourneyState:
    """A person replied where the customer had posted: the post is answered, the first answer counts."""
    for mention in state.mentions:
        if mention.mention_id == mention_id and (mention.answered_at is None or at < mention.answered_at):
            replied = replace(mention, answered_at=at, closed_at=min(mention.closed_at or at, at))
            return replace(state, mentions=put(state.mentions, replied, lambda item: item.mention_id))
    return state


def closed(state: JourneyState, event: ContactClosed) -> JourneyState:
    """The contact ends, unless the customer has opened it again since; of two ends the later counts."""
    known = _known(state, event)
    if event.occurred_at < (known.closed_at or known.opened_at):
        return state
    return _with(state, replace(known, closed_at=event.occurred_at, resolution=event.resolution), event)


def _known(state: JourneyState, event: ContactOpened | ContactReplied | ContactClosed) -> Contact:
    for contact in state.contacts:
        if contact.contact_id == event.contact_id:
            return contact
    channel = Channel.OTHER if isinstance(event, ContactClosed) else event.channel
    return Contact(contact_id=event.contact_id, channel=channel, opened_at=event.occurred_at, as_of=event.occurred_at)


def _with(state: JourneyState, contact: Contact, event: Any) -> JourneyState:
    contact = replace(contact, as_of=max(contact.as_of, event.occurred_at))
    return replace(state, contacts=put(state.contacts, contact, lambda item: item.contact_id))


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    ContactOpened: opened,
    ContactReplied: replied,
    ContactClosed: closed,
}
