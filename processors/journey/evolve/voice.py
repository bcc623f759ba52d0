"""Folds what customers and employees report: feedback, mentions, notes, gestures, and unavailable items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from processors.journey.evolve.contacts import answers_to, with_mention
from processors.journey.evolve.latest import counts
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

Told = Moment | Note | Given


def feedback(state: JourneyState, event: FeedbackGiven) -> JourneyState:
    """Record feedback, in the order it occurred; feedback that is repeated takes the latest values."""
    known = next((one for one in state.moments if answer(one) == answer(event)), None)
    moment = Moment(
        feedback_id=event.feedback_id,
        kind=event.kind,
        score=event.score,
        text=event.text,
        about=event.about,
        occurred_at=event.occurred_at,
        sentiment=event.sentiment,
        recovered_at=None if known is None else known.recovered_at,
    )
    if _known_counts(known, moment):
        return state
    return replace(state, moments=put(state.moments, moment, answer, in_order=_by_time_and(answer)))


def mention(state: JourneyState, event: MentionPosted) -> JourneyState:
    """Record a post; a post that is seen again takes the latest values. Its answer may have arrived before it."""
    known = next((one for one in state.mentions if one.mention_id == event.mention_id), None)
    answers = b""
    if known is None:
        state, answers = answers_to(state, event.mention_id)
    post = Mention(
        mention_id=event.mention_id,
        platform=event.platform,
        link=event.link,
        text=event.text,
        sentiment=event.sentiment,
        reach=event.reach,
        opened_at=event.occurred_at,
        as_of=event.occurred_at,
        history=answers,
    )
    if known is not None:
        began = min(known.opened_at, event.occurred_at)
        kept = {name: getattr(known, name) for name in ("closed_at", "answered_at", "history")}
        newer = counts(_seen(post), post.as_of, _seen(known), known.as_of)
        post = replace(post, opened_at=began, **kept) if newer else replace(known, opened_at=began)
    return with_mention(state, post)


def note(state: JourneyState, event: AgentNoted) -> JourneyState:
    """Record an employee's note, in the order they occurred."""
    written = Note(
        note_id=event.note_id,
        agent_id=event.agent_id,
        kind=event.kind,
        text=event.text,
        about=event.about,
        occurred_at=event.occurred_at,
    )
    if _known_counts(next((one for one in state.notes if one.note_id == event.note_id), None), written):
        return state
    return replace(state, notes=put(state.notes, written, _note, in_order=_by_time_and(_note)))


def unavailable(state: JourneyState, event: ItemUnavailable) -> JourneyState:
    """Record an item that could not be had; a repeated request is the same wish."""
    known = next((one for one in state.wishes if one.item_id == event.item_id), None)
    wish = Wish(
        item_id=event.item_id,
        description=event.description,
        alternatives=event.alternatives,
        opened_at=event.occurred_at,
        as_of=event.occurred_at,
    )
    if known is not None:
        began = min(known.opened_at, event.occurred_at)
        newer = counts(_asked(wish), wish.as_of, _asked(known), known.as_of)
        kept = {"closed_at": known.closed_at, "redeemed_at": known.redeemed_at}
        wish = replace(wish, opened_at=began, **kept) if newer else replace(known, opened_at=began)
    return replace(state, wishes=put(state.wishes, wish, _item, in_order=_wishes_in_order))


def gesture(state: JourneyState, event: GestureGiven) -> JourneyState:
    """Record a gesture that an employee gave, in the order they were given."""
    given = Given(
        gesture_id=event.gesture_id,
        agent_id=event.agent_id,
        code=event.code,
        cost=event.cost,
        currency=event.currency,
        about=event.about,
        occurred_at=event.occurred_at,
    )
    if _known_counts(next((one for one in state.gestures if one.gesture_id == event.gesture_id), None), given):
        return state
    return replace(state, gestures=put(state.gestures, given, _gesture, in_order=_by_time_and(_gesture)))


def _known_counts(known: Told | None, said: Told) -> bool:
    """Return whether what is known counts rather than what is said."""
    return known is not None and not counts(said, said.occurred_at, known, known.occurred_at)


def _seen(post: Mention) -> Any:
    return (post.platform, post.link, post.text, post.sentiment, post.reach)


def _asked(wish: Wish) -> Any:
    return (wish.description, wish.alternatives)


def _note(note: Note) -> str:
    return note.note_id


def _gesture(given: Given) -> str:
    return given.gesture_id


def _item(wish: Wish) -> str:
    return wish.item_id


def _wishes_in_order(wish: Wish) -> tuple[datetime, str]:
    return (wish.opened_at, wish.item_id)


def _by_time_and(name: Callable[[Any], Any]) -> Callable[[Any], tuple[datetime, Any]]:
    return lambda told: (told.occurred_at, name(told))


FOLDS: Mapping[type[Any], Callable[[JourneyState, Any], JourneyState]] = {
    FeedbackGiven: feedback,
    MentionPosted: mention,
    AgentNoted: note,
    GestureGiven: gesture,
    ItemUnavailable: unavailable,
}
