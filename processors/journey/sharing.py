"""Exchanges facts between the records of one person, each on its own partition: consents, opt-outs, and open matters.

A record that was merged into another sends it all consents and open matters, and forwards later facts. The remaining
record sends its consents to those merged into it, so that what they had requested is retracted. Facts that are already
known change nothing and are not forwarded, so nothing circulates for ever, however records were merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from processors.journey.evolve.limits import within_limits
from processors.journey.evolve.merging import LONG_AGO, known_merges
from processors.journey.feedback import journey_id
from processors.journey.identity import forwarded_event_id, retold_event_id
from processors.journey.recording import Output
from processors.journey.refusals import refusal_of
from processors.journey.state import KEEP_CLOSED
from streams.clock import to_millis
from streams.events import (
    AgentNoted,
    Consent,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    DelayEnded,
    DelayNoticed,
    FeedbackGiven,
    GestureGiven,
    ItemUnavailable,
    JourneyState,
    MentionPosted,
    Merge,
    MergeSide,
    Order,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    ProfilesMerged,
    ProfileUpdated,
    Settled,
    Suppression,
    Touchpoint,
    replace,
)
from streams.events.scores import on_its_scale
from streams.events.sources import JOURNEYS

SENT = "sent"

_FORWARDED = (
    ContactOpened,
    ContactReplied,
    ContactClosed,
    OrderPlaced,
    OrderShipped,
    OrderDelivered,
    OrderCancelled,
    DelayNoticed,
    DelayEnded,
    ItemUnavailable,
    MentionPosted,
    FeedbackGiven,
    AgentNoted,
    GestureGiven,
    ProfileUpdated,
)
"""Facts about a person that are forwarded, whichever of their records receives them. Consents are sent separately;
outcomes belong to the record that sent the letter."""

_LONGEST_ID = 64  # characters of an event id that is forwarded unchanged


Words = tuple[tuple[Consent, ...], tuple[Suppression, ...], tuple[Settled, ...]]
"""A record's consents, its suppressions, and the steps that were sent to it."""


def shared(before: JourneyState, after: JourneyState, event: Touchpoint, now: datetime) -> Iterator[Output]:
    """Yield what the person's other records are sent after a step. ``before``: the state before the event."""
    merges = known_merges(after)
    if not merges:
        return
    known = {(one.other_customer_id, one.side) for one in known_merges(before)}
    for merge in merges:
        other = merge.other_customer_id
        new = (other, merge.side) not in known
        answers = isinstance(event, ProfilesMerged) and event.told and event.other_customer_id == other
        words = _words(after, merge)
        begins = new and merge.side is MergeSide.SURVIVOR and not answers
        if begins or (any(words) and (new or _has_news(words, _words(before, merge)))):
            yield _merge_event(after, merge, event, words)
    if after.merged_into is not None:
        if after.merged_into != before.merged_into:
            yield from _open_matters(after, event, now)
        elif isinstance(event, _FORWARDED):
            yield _forwarded(event, after.merged_into)


def _merge_event(state: JourneyState, merge: Merge, event: Touchpoint, words: Words) -> ProfilesMerged:
    return ProfilesMerged(
        event_id=forwarded_event_id(event.event_id, merge.other_customer_id),
        customer_id=merge.other_customer_id,
        occurred_at=merge.as_of,
        source=JOURNEYS,
        other_customer_id=state.customer_id,
        side=MergeSide.SURVIVOR if merge.side is MergeSide.ABSORBED else MergeSide.ABSORBED,
        consents=words[0],
        suppressions=words[1],
        settled=words[2],
        told=True,
    )


def _words(state: JourneyState, merge: Merge) -> Words:
    """Return what the record on the other side of the merge needs to know of this one, without what came from there.

    A record that was merged away needs neither suppressed addresses nor steps: it sends nothing any more.
    """
    other, own, goes = merge.other_customer_id, state.customer_id, merge.side is MergeSide.ABSORBED
    consents = tuple(
        replace(one, from_customer_id=own) if one.from_customer_id is None else one
        for one in state.consents
        if one.from_customer_id != other
    )
    suppressions = tuple(
        replace(one, from_customer_id=own) if one.from_customer_id is None else one
        for one in state.suppressions
        if one.from_customer_id != other and (goes or not one.address)
    )
    steps = tuple(one for one in state.settled if one.reason == SENT) if goes else ()
    return consents, suppressions, steps


def _has_news(words: Words, before: Words) -> bool:
    """Return whether there is anything new in ``words``; what was pruned since does not count."""
    return any(set(now) - set(then) for now, then in zip(words, before, strict=True))


def _forwarded(event: Any, customer_id: str) -> Any:
    """Return the fact about the remaining record. It keeps its id, so that a fact that comes back is a duplicate."""
    identity = event.event_id if len(event.event_id) <= _LONGEST_ID else forwarded_event_id(event.event_id, "")
    told = replace(within_limits(event), event_id=identity, customer_id=customer_id)
    # the remaining record's own profile takes precedence; the other one fills its gaps
    return replace(told, occurred_at=LONG_AGO) if isinstance(event, ProfileUpdated) else told


def _open_matters(state: JourneyState, event: Touchpoint, now: datetime) -> Iterator[Any]:
    """Yield the facts that the remaining record needs to continue what is open; it decides again, with its own
    consents."""
    other = state.merged_into or ""

    def facts(kind: str, name: str, at: datetime) -> dict[str, Any]:
        identity = retold_event_id(event.event_id, other, kind, name)
        return {"event_id": identity, "customer_id": other, "occurred_at": at, "source": JOURNEYS}

    known = state.profile
    if known.as_of is not None:
        yield ProfileUpdated(
            **facts("profile", "", LONG_AGO),
            name=known.name,
            locale=known.locale,
            time_zone=known.time_zone,
            addresses=known.addresses or None,
        )
    for contact in state.contacts:
        name = contact.contact_id
        if contact.closed_at is not None:
            continue
        yield ContactOpened(
            **facts("contact", name, contact.opened_at),
            contact_id=name,
            channel=contact.channel,
            matter=contact.matter,
            summary=contact.summary,
        )
        answered = contact.replied_at or contact.answered_at
        if answered is not None:
            yield ContactReplied(
                **facts("reply", name, answered),
                contact_id=name,
                channel=contact.channel,
                automated=contact.replied_at is None,
            )
    told_late = {delay.order_id for delay in state.delays if delay.letters}
    for order in state.orders:
        if order.closed_at is None and order.promised_at is not None and order.order_id not in told_late:
            yield from _order(order, facts)
    for delay in state.delays:
        refusal = refusal_of(delay)
        merged = refusal is not None and refusal.reason == "merged"
        untold = delay.letters == 0 or delay.held_until is not None or merged
        if delay.closed_at is None and untold:
            yield DelayNoticed(
                **facts("delay", f"{delay.subject_kind}/{delay.subject_id}/{to_millis(delay.opened_at)}", delay.as_of),
                subject_kind=delay.subject_kind,
                subject_id=delay.subject_id,
                description=delay.description,
                order_id=delay.order_id,
                promised_at=delay.promised_at,
                expected_at=delay.expected_at,
                cancelled=delay.cancelled,
                reason=delay.reason,
                time_zone=delay.time_zone,
                by_day=delay.by_day,
            )
    for wish in state.wishes:
        if wish.closed_at is None:
            yield ItemUnavailable(
                **facts("wish", wish.item_id, wish.opened_at),
                item_id=wish.item_id,
                description=wish.description,
                alternatives=wish.alternatives,
            )
    for post in state.mentions:
        if post.closed_at is None and post.answered_at is None:
            yield MentionPosted(
                **facts("mention", post.mention_id, post.opened_at),
                mention_id=post.mention_id,
                platform=post.platform,
                link=post.link,
                text=post.text,
                sentiment=post.sentiment,
                reach=post.reach,
            )
    for moment in state.moments:
        if moment.recovered_at is None and moment.occurred_at > now - KEEP_CLOSED:
            yield FeedbackGiven(
                **facts("feedback", journey_id(moment), moment.occurred_at),
                feedback_id=moment.feedback_id,
                kind=moment.kind,
                score=moment.score if on_its_scale(moment.kind, moment.score) else None,
                text=moment.text,
                about=moment.about,
                sentiment=moment.sentiment,
            )


def _order(order: Order, facts: Callable[[str, str, datetime], dict[str, Any]]) -> Iterator[Any]:
    """Yield the facts of an order that is still to be delivered, with its parcels."""
    name = order.order_id
    yield OrderPlaced(
        **facts("order", name, order.opened_at),
        order_id=name,
        kind=order.kind,
        description=order.description,
        subject_id=order.subject_id,
        promised_at=order.promised_at,
        total=order.total,
        currency=order.currency,
        by_day=order.by_day,
    )
    for parcel in order.parcels:
        of_parcel: dict[str, Any] = {"order_id": name, "parcel_id": parcel.parcel_id}
        key = f"{name}/{parcel.parcel_id}"
        if parcel.shipped_at is not None:
            yield OrderShipped(**facts("shipped", key, parcel.shipped_at), **of_parcel)
        if parcel.delivered_at is not None:
            yield OrderDelivered(**facts("delivered", key, parcel.delivered_at), **of_parcel)
