"""What the made-up employees do on the storm day, and what customers do where it was not enough."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from processors.simulator import StormDay
from processors.simulator.journal import Journal
from streams import events
from tests.simulator.conftest import facts

HOUR = timedelta(hours=1)


def test_most_of_what_is_said_in_public_is_answered_by_a_person(storm: StormDay) -> None:
    """Praise and complaints, within minutes or hours; some wait for longer than they should, some for ever."""
    posts = {one.mention_id: one for one in facts(storm) if isinstance(one, events.MentionPosted)}
    waits = {
        one.contact_id: one.occurred_at - posts[one.contact_id].occurred_at
        for one in facts(storm)
        if isinstance(one, events.ContactReplied) and one.contact_id in posts
        if (one.channel, one.automated, one.agent_id is None) == (events.Channel.SOCIAL, False, False)
    }
    for tone in (events.Sentiment.POSITIVE, events.Sentiment.NEGATIVE):
        told = [one for one, post in posts.items() if post.sentiment is tone]
        assert 0.55 < sum(one in waits for one in told) / len(told) < 0.85
    complaints = [wait for one, wait in waits.items() if posts[one].sentiment is events.Sentiment.NEGATIVE]
    assert min(complaints) >= timedelta(minutes=4)
    assert len(complaints) / 2 < sum(wait < 2 * HOUR for wait in complaints) < len(complaints)


def contacts_by_matter(storm: StormDay) -> dict[tuple[str, str], list[events.ContactOpened]]:
    """Customer and matter: each time they got in touch about it. Without a matter it is the contact itself."""
    found: dict[tuple[str, str], list[events.ContactOpened]] = defaultdict(list)
    for event in facts(storm):
        if isinstance(event, events.ContactOpened):
            found[event.customer_id, event.matter or event.contact_id].append(event)
    return found


def test_a_matter_moves_from_channel_to_channel(storm: StormDay) -> None:
    """Whoever hung up unanswered often tries elsewhere within the hour, about the same matter."""
    gave_up = {
        one.contact_id: one.occurred_at
        for one in facts(storm)
        if isinstance(one, events.ContactClosed) and one.resolution is events.Resolution.ABANDONED
    }
    moved = [
        (first, then)
        for told in contacts_by_matter(storm).values()
        for first in told
        for then in told
        if first.contact_id in gave_up
        if first.channel is not then.channel and timedelta() < then.occurred_at - gave_up[first.contact_id] < HOUR
    ]
    assert len(gave_up) / 5 < len({first.contact_id for first, _ in moved}) < len(gave_up)


def test_some_matters_come_back_after_their_end(storm: StormDay) -> None:
    """Closed by one of ours and asked about again, as a rule elsewhere; without a matter it is the same contact."""
    answered: dict[tuple[str, str], datetime] = {}
    matter = {key[1]: key for key, told in contacts_by_matter(storm).items() for _ in told}
    for key, told in contacts_by_matter(storm).items():
        matter |= {one.contact_id: key for one in told}
    back: set[str] = set()
    reopened: set[str] = set()
    seen: set[str] = set()
    for event in facts(storm):
        if isinstance(event, events.ContactOpened):
            key = matter[event.contact_id]
            if key in answered:
                back.add(event.contact_id)
            if event.contact_id in seen:
                reopened.add(event.contact_id)
            seen.add(event.contact_id)
        elif isinstance(event, events.ContactClosed) and event.agent_id is not None:
            answered[matter[event.contact_id]] = event.occurred_at
    assert len(seen) / 20 < len(back) < len(seen) / 3
    assert 5 < len(reopened) < len(back)
    times = {one.contact_id: one.occurred_at for one in facts(storm) if isinstance(one, events.ContactOpened)}
    assert max(times[one] for one in back) - min(times[one] for one in back) > 12 * HOUR


def test_employees_give_small_things(storm: StormDay) -> None:
    """By the one who answered and before the contact ended; more in the storm, and now and then beyond the budget."""
    answered: dict[tuple[str, str], list[events.ContactReplied]] = defaultdict(list)
    ended: dict[str, list[datetime]] = defaultdict(list)
    gifts: dict[str, list[events.GestureGiven]] = defaultdict(list)
    about: dict[str, set[str]] = defaultdict(set)
    for event in facts(storm):
        if isinstance(event, events.ContactOpened):
            about[event.contact_id].add(event.matter or event.contact_id)
        elif isinstance(event, events.ContactReplied) and event.agent_id is not None:
            for matter in about[event.contact_id]:
                answered[event.customer_id, matter].append(event)
        elif isinstance(event, events.ContactClosed):
            ended[event.contact_id].append(event.occurred_at)
        elif isinstance(event, events.GestureGiven):
            gifts[event.customer_id].append(event)
    every = [gift for own in gifts.values() for gift in own]
    assert 200 < len(every) < 600
    assert len({gift.gesture_id for gift in every}) == len(every)
    for gift in every:
        assert gift.title
        assert (gift.currency, gift.about is None) == ("USD", False)
        assert Decimal("2.00") <= gift.cost < Decimal("60.00")
        replies = answered[gift.customer_id, str(gift.about)]
        mine = [one for one in replies if one.agent_id == gift.agent_id and one.occurred_at < gift.occurred_at]
        assert any(gift.occurred_at < end for one in mine for end in ended[one.contact_id])
    generous = [own for own in gifts.values() if sum(gift.cost for gift in own) > Decimal("50.00")]
    assert 3 < len(generous) < 0.15 * len(gifts)


def test_many_who_like_offers_find_something_sold_out(storm: StormDay) -> None:
    """Enough to see what a word about it is worth; of nearly all it is known who has it."""
    likes = {
        customer.customer_id
        for customer in storm.customers
        for one in customer.consents
        if (one.purpose, one.status) == (events.Purpose.MARKETING, events.ConsentStatus.GRANTED)
    }
    wishes = [one for one in facts(storm) if isinstance(one, events.ItemUnavailable)]
    elsewhere = [one for one in wishes if one.customer_id in likes and one.alternatives]
    assert 200 < len(elsewhere) < len(wishes) < 700


def test_each_matter_has_its_own_chance() -> None:
    """The same of the same, another of another, and asking for one does not disturb the other."""
    journal = Journal(name="2013-02-08/1")
    once = journal.chance("post", "M1").random()
    assert journal.chance("post", "M1").random() == once
    assert journal.chance("post", "M2").random() != once
    assert Journal(name="2013-02-08/2").chance("post", "M1").random() != once
