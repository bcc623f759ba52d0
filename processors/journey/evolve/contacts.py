"""Folds contacts: opened, answered, closed, reopened. The status of each is derived from its whole history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.evolve.earlier import history_of_contact
from processors.journey.evolve.history import (
    ANSWERED,
    ANSWERED_BY_MACHINE,
    BEGUN,
    CHANNEL,
    CHANNELS,
    ENDED,
    RESOLUTION,
    RESOLUTIONS,
    entries,
    first,
    moment,
    only,
    with_entry,
)
from processors.journey.evolve.latest import earliest, told
from processors.journey.state import put
from streams.events import (
    Channel,
    Contact,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    JourneyState,
    Mention,
    Resolution,
    replace,
)

ANSWERS = (ANSWERED, ANSWERED_BY_MACHINE)


def opened(state: JourneyState, event: ContactOpened) -> JourneyState:
    """Open a contact, or reopen a closed one."""
    at = event.occurred_at
    known, history = _known(state, event.contact_id, at)
    known = told(told(known, "matter", event.matter, at), "summary", event.summary, at)
    return _with(state, known, with_entry(history, at, BEGUN, CHANNEL[event.channel]))


def replied(state: JourneyState, event: ContactReplied) -> JourneyState:
    """Record an answer; only a person's answer counts as a reply. An answer to a post creates no contact."""
    at, channel = event.occurred_at, CHANNEL[event.channel]
    what = ANSWERED_BY_MACHINE if event.automated else ANSWERED
    post = next((one for one in state.mentions if one.mention_id == event.contact_id), None)
    if post is not None:
        state = with_mention(state, replace(post, history=with_entry(post.history, at, what, channel)))
        if all(contact.contact_id != event.contact_id for contact in state.contacts):
            return state
    known, history = _known(state, event.contact_id, at)
    return _with(state, known, with_entry(history, at, what, channel))


def closed(state: JourneyState, event: ContactClosed) -> JourneyState:
    """Close the contact, unless the customer has reopened it since; of two ends the later counts."""
    known, history = _known(state, event.contact_id, event.occurred_at)
    return _with(state, known, with_entry(history, event.occurred_at, ENDED, RESOLUTION[event.resolution]))


def answers_to(state: JourneyState, mention_id: str) -> tuple[JourneyState, bytes]:
    """Return the state, and the answers to a post that arrived before the post did. A contact that consists of answers
    alone is removed from the state."""
    for contact in state.contacts:
        if contact.contact_id == mention_id:
            history = history_of_contact(contact)
            if history == (answers := only(history, *ANSWERS)):
                state = replace(state, contacts=tuple(one for one in state.contacts if one is not contact))
            return state, answers
    return state, b""


def with_mention(state: JourneyState, mention: Mention) -> JourneyState:
    """Return the state with the post, which is answered by the first reply of a person to it."""
    at = earliest(mention.answered_at, first(mention.history, ANSWERED))
    if at is not None:
        mention = replace(mention, answered_at=at, closed_at=earliest(mention.closed_at, at))
    return replace(state, mentions=put(state.mentions, mention, _post, in_order=_posts_in_order))


def answered(state: JourneyState, mention_id: str, at: datetime) -> JourneyState:
    """Return the state in which a person answered the post; the first answer counts."""
    for mention in state.mentions:
        if mention.mention_id == mention_id:
            return with_mention(state, replace(mention, answered_at=earliest(mention.answered_at, at)))
    return state


def _known(state: JourneyState, contact_id: str, at: datetime) -> tuple[Contact, bytes]:
    for contact in state.contacts:
        if contact.contact_id == contact_id:
            return contact, history_of_contact(contact)
    contact = Contact(contact_id=contact_id, channel=Channel.OTHER, opened_at=at, as_of=at)
    answers = next((post.history for post in state.mentions if post.mention_id == contact_id), b"")
    return contact, answers


def _with(state: JourneyState, contact: Contact, history: bytes) -> JourneyState:
    """Return the state with the contact as its history says."""
    known = _derived(contact, history)
    return replace(state, contacts=put(state.contacts, known, _contact, in_order=_contacts_in_order))


def _derived(contact: Contact, history: bytes) -> Contact:
    opened_at = closed_at = replied_at = answered_at = came_back_at = closed_before = as_of = None
    resolution = Resolution.UNKNOWN
    channel = by_answer = Channel.OTHER
    for at, what, detail in entries(history):
        as_of = at
        if what == BEGUN:
            channel = CHANNELS[detail]
            if closed_at is not None:
                # reopened: the customer has been waiting since then, and nobody has answered yet
                if replied_at is not None:
                    closed_before = closed_at
                opened_at = came_back_at = at
                closed_at = replied_at = None
                resolution = Resolution.UNKNOWN
        elif what == ENDED:
            closed_at, resolution = at, RESOLUTIONS[detail]
        else:
            by_answer, answered_at = CHANNELS[detail], at
            if what == ANSWERED and replied_at is None:
                replied_at = at
        if opened_at is None:
            opened_at = at
    return replace(
        contact,
        channel=by_answer if channel is Channel.OTHER else channel,
        opened_at=moment(opened_at) or contact.opened_at,
        as_of=moment(as_of) or contact.as_of,
        closed_at=moment(closed_at),
        replied_at=moment(replied_at),
        answered_at=moment(answered_at),
        resolution=resolution,
        came_back_at=moment(came_back_at),
        closed_before=moment(closed_before),
        history=history,
    )


def _contact(contact: Contact) -> str:
    return contact.contact_id


def _contacts_in_order(contact: Contact) -> tuple[datetime, str]:
    return (contact.opened_at, contact.contact_id)


def _post(mention: Mention) -> str:
    return mention.mention_id


def _posts_in_order(mention: Mention) -> tuple[datetime, str]:
    return (mention.opened_at, mention.mention_id)


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    ContactOpened: opened,
    ContactReplied: replied,
    ContactClosed: closed,
}
