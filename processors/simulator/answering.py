"""What the made-up employees do: answer public posts, and give small gestures."""

from __future__ import annotations

from datetime import datetime, timedelta

from processors.simulator import texts
from processors.simulator.journal import SOURCE, Journal
from streams.events import Channel, ContactReplied, GestureGiven, MentionPosted, Sentiment

AGENTS = 40

_ANSWERED = {  # share of posts that a person answers, and the mean of the minutes it takes
    Sentiment.POSITIVE: (0.75, 240),
    Sentiment.NEUTRAL: (0.1, 180),
    Sentiment.NEGATIVE: (0.7, 55),
}
_SOONEST = timedelta(minutes=4)


def answer_post(post: MentionPosted, *, journal: Journal) -> None:
    """Most posts with praise or a complaint get a person's answer within minutes or hours; the others get none."""
    chance = journal.chance("post", post.mention_id)
    share, minutes = _ANSWERED[post.sentiment]
    if chance.random() >= share:
        return
    journal.add(
        ContactReplied(
            event_id="",
            customer_id=post.customer_id,
            occurred_at=post.occurred_at + _SOONEST + _milliseconds(chance.expovariate(1 / minutes)),
            source=SOURCE,
            contact_id=post.mention_id,
            channel=Channel.SOCIAL,
            agent_id=f"agent-{chance.randint(1, AGENTS):02d}",
            summary=chance.choice(texts.ANSWERED_IN_PUBLIC[post.sentiment]),
        )
    )


def give(reply: ContactReplied, *, until: datetime, stress: float, about: str, journal: Journal) -> None:
    """Sometimes, and more often on a bad day, the employee who answered gives a gesture before ``until``."""
    chance = journal.chance("gesture", reply.contact_id, str(reply.occurred_at))
    if reply.agent_id is None or chance.random() >= 0.02 + 0.16 * stress:
        return
    offers = texts.GESTURES_STORM if chance.random() < stress else texts.GESTURES_CALM
    code, title, cost, _ = chance.choices(offers, [offer[-1] for offer in offers])[0]
    at = reply.occurred_at + (until - reply.occurred_at) * chance.uniform(0.3, 0.9)
    journal.add(
        GestureGiven(
            event_id="",
            customer_id=reply.customer_id,
            occurred_at=at.replace(microsecond=at.microsecond // 1000 * 1000),
            source=SOURCE,
            gesture_id=journal.key("G"),
            agent_id=reply.agent_id,
            code=code,
            cost=cost,
            currency="USD",
            title=title,
            about=about,
        )
    )


def _milliseconds(minutes: float) -> timedelta:
    return timedelta(milliseconds=round(minutes * 60_000))
