"""What customers and employees tell us: feedback, mentions, notes, and what could not be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from processors.journey.feedback import answer
from processors.journey.state import put
from streams.events import (
    AgentNoted,
    FeedbackGiven,
    GestureGiven,
    Given,
    ItemUnavailable,
    JourneyState,
    Mention,
    MentionPosted,
    Moment,
    Note,
    Wish,
    replace,
)


def feedback(state: JourneyState, event: FeedbackGiven) -> JourneyState:
    """A moment to remember, in the order they occurred."""
    moment = Moment(
        feedback_id=event.feedback_id,
        kind=event.kind,
        score=event.score,
        text=event.text,
        about=event.about,
        occurred_at=event.occurred_at,
        sentiment=event.sentiment,
        recovered_at=next((one.recovered_at for one in state.moments if answer(one) == answer(event)), None),
    )
    moments = put(state.moments, moment, answer)
    return replace(state, moments=tuple(sorted(moments, key=lambda item: item.occurred_at)))


def mention(state: JourneyState, event: MentionPosted) -> JourneyState:
    """A post; seen again later, with what is known of it then."""
    known = next((item for item in state.mentions if item.mention_id == event.mention_id), None)
    if known is not None and event.occurred_at < known.as_of:
        return state
    post = Mention(
        mention_id=event.mention_id,
        platform=event.platform,
        link=event.link,
        text=event.text,
        sentiment=event.sentiment,
        reach=event.reach,
        opened_at=known.opened_at if known else event.occurred_at,
        as_of=event.occurred_at,
        closed_at=known.closed_at if known else None,
        answered_at=known.answered_at if known else None,
    )
    for contact in state.contacts:
        if contact.contact_id == event.mention_id and contact.replied_at is not None and known is None:
            # its answer was heard of before it was; what was made of the answer alone is no contact
            post = replace(post, answered_at=contact.replied_at, closed_at=contact.replied_at)
            if contact.opened_at == contact.replied_at:
                state = replace(state, contacts=tuple(one for one in state.contacts if one is not contact))
    return replace(state, mentions=put(state.mentions, post, lambda item: item.mention_id))


def note(state: JourneyState, event: AgentNoted) -> JourneyState:
    """An employee's note, in the order they occurred."""
    written = Note(
        note_id=event.note_id,
        agent_id=event.agent_id,
        kind=event.kind,
        text=event.text,
        about=event.about,
        occurred_at=event.occurred_at,
    )
    notes = put(state.notes, written, lambda item: item.note_id)
    return replace(state, notes=tuple(sorted(notes, key=lambda item: item.occurred_at)))


def unavailable(state: JourneyState, event: ItemUnavailable) -> JourneyState:
    """A wish we could not fulfil; asked for again, it is the same wish."""
    known = next((item for item in state.wishes if item.item_id == event.item_id), None)
    if known is not None and event.occurred_at < known.as_of:
        return state
    wish = Wish(
        item_id=event.item_id,
        description=event.description,
        alternatives=event.alternatives,
        opened_at=known.opened_at if known else event.occurred_at,
        as_of=event.occurred_at,
        closed_at=known.closed_at if known else None,
        redeemed_at=known.redeemed_at if known else None,
    )
    return replace(state, wishes=put(state.wishes, wish, lambda item: item.item_id))


def gesture(state: JourneyState, event: GestureGiven) -> JourneyState:
    """Something kind that an employee gave, in the order they were given."""
    given = Given(
        gesture_id=event.gesture_id,
        agent_id=event.agent_id,
        code=event.code,
        cost=event.cost,
        currency=event.currency,
        about=event.about,
        occurred_at=event.occurred_at,
    )
    gestures = put(state.gestures, given, lambda item: item.gesture_id)
    return replace(state, gestures=tuple(sorted(gestures, key=lambda item: (item.occurred_at, item.gesture_id))))


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    FeedbackGiven: feedback,
    MentionPosted: mention,
    AgentNoted: note,
    GestureGiven: gesture,
    ItemUnavailable: unavailable,
}
