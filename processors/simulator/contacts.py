"""How made-up people get in touch, and how they say afterwards what it was like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from processors.simulator import texts
from processors.simulator.journal import SOURCE, Journal
from streams.events import (
    AgentNoted,
    Channel,
    ContactClosed,
    ContactOpened,
    ContactReplied,
    FeedbackGiven,
    FeedbackKind,
    MentionPosted,
    NoteKind,
    Resolution,
    Sentiment,
)

_SECOND = timedelta(seconds=1)
_CHANNELS = (Channel.CALL, Channel.CHAT, Channel.EMAIL, Channel.SOCIAL)
_ANSWER_SECONDS = {  # until a person answers, on a quiet day
    Channel.CALL: (20, 300),
    Channel.CHAT: (15, 240),
    Channel.EMAIL: (1200, 14400),
    Channel.SOCIAL: (600, 7200),
}
_PLATFORMS = ("microblog", "photos", "forum", "reviews")
_AGENTS = 40


class Voices:
    """Writes what one made-up customer says, and what is answered, into the journal."""

    def __init__(self, *, journal: Journal, rng: Random, customer_id: str) -> None:
        self._journal = journal
        self._rng = rng
        self._customer_id = customer_id

    def contact(
        self, at: datetime, *, asked: Sequence[str], matter: str | None, stress: float, words: dict[str, str]
    ) -> datetime:
        """A conversation from its opening to its end; returns when the last of it occurred.

        ``stress`` from 0 (a quiet day) to 1 (a storm) makes answers slower and some calls hang up unanswered.
        """
        rng, journal, customer_id = self._rng, self._journal, self._customer_id
        channel = rng.choices(_CHANNELS, (45, 28, 15, 12))[0]
        contact_id = journal.key("C")
        journal.add(
            ContactOpened(
                event_id="",
                customer_id=customer_id,
                occurred_at=at,
                source=SOURCE,
                contact_id=contact_id,
                channel=channel,
                matter=matter,
                summary=rng.choice(asked).format(**words),
            )
        )
        if channel is not Channel.CALL and rng.random() < 0.5:
            journal.add(
                ContactReplied(
                    event_id="",
                    customer_id=customer_id,
                    occurred_at=at + rng.randint(1, 9) * _SECOND,
                    source=SOURCE,
                    contact_id=contact_id,
                    channel=channel,
                    automated=True,
                    summary=rng.choice(texts.AUTOMATED),
                )
            )
        soonest, latest = _ANSWER_SECONDS[channel]
        answered_at = at + timedelta(milliseconds=round(rng.uniform(soonest, latest) * (1 + 3 * stress) * 1000))
        if rng.random() < 0.02 + 0.12 * stress:
            if channel in (Channel.CALL, Channel.CHAT):  # gave up waiting; a mail or post stays open, unanswered
                journal.add(
                    ContactClosed(
                        event_id="",
                        customer_id=customer_id,
                        occurred_at=answered_at,
                        source=SOURCE,
                        contact_id=contact_id,
                        resolution=Resolution.ABANDONED,
                    )
                )
            return answered_at
        agent_id = f"agent-{rng.randint(1, _AGENTS):02d}"
        journal.add(
            ContactReplied(
                event_id="",
                customer_id=customer_id,
                occurred_at=answered_at,
                source=SOURCE,
                contact_id=contact_id,
                channel=channel,
                agent_id=agent_id,
                summary=rng.choice(texts.ANSWERED),
            )
        )
        closed_at = answered_at + rng.randint(60, 900) * _SECOND
        ends = (Resolution.SOLVED, Resolution.UNSOLVED, Resolution.TRANSFERRED)
        resolution = rng.choices(ends, (86 - 30 * stress, 8 + 22 * stress, 6 + 8 * stress))[0]
        journal.add(
            ContactClosed(
                event_id="",
                customer_id=customer_id,
                occurred_at=closed_at,
                source=SOURCE,
                contact_id=contact_id,
                resolution=resolution,
                agent_id=agent_id,
            )
        )
        if rng.random() < 0.05:
            kind = rng.choices((NoteKind.NOTE, NoteKind.GAP, NoteKind.IDEA), (70, 18, 12))[0]
            closed_at += rng.randint(10, 240) * _SECOND
            journal.add(
                AgentNoted(
                    event_id="",
                    customer_id=customer_id,
                    occurred_at=closed_at,
                    source=SOURCE,
                    note_id=journal.key("N"),
                    agent_id=agent_id,
                    kind=kind,
                    text=rng.choice(texts.NOTES[kind]).format(**words),
                    about=matter or contact_id,
                )
            )
        return closed_at

    def mention(self, at: datetime, *, stress: float, words: dict[str, str]) -> None:
        """A public post; the higher the stress, the darker its tone."""
        rng = self._rng
        tones = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
        tone = rng.choices(tones, (6 + 70 * stress, 30, 45 - 35 * stress))[0]
        mention_id = self._journal.key("M")
        platform = rng.choice(_PLATFORMS)
        self._journal.add(
            MentionPosted(
                event_id="",
                customer_id=self._customer_id,
                occurred_at=at,
                source=SOURCE,
                mention_id=mention_id,
                platform=platform,
                link=f"https://{platform}.example/posts/{mention_id}",
                text=rng.choice(texts.MENTIONS[tone]).format(**words),
                sentiment=tone,
                reach=int(rng.lognormvariate(5, 1.5)),
            )
        )

    def feedback(self, at: datetime, *, about: str | None, stress: float, words: dict[str, str]) -> None:
        """An answer to a survey, or unasked words; scores fall as stress grows."""
        rng = self._rng
        kinds = (FeedbackKind.CSAT, FeedbackKind.NPS, FeedbackKind.COMPLAINT, FeedbackKind.PRAISE, FeedbackKind.STORY)
        kind = rng.choices(kinds, (50, 34, 1 + 16 * stress, 9 - 7 * stress, 2))[0]
        mood = min(1.0, max(0.0, rng.gauss(0.86 - 0.6 * stress, 0.2)))
        score: int | None = None
        text: str | None = None
        if kind is FeedbackKind.CSAT:
            score = 1 + round(4 * mood)
        elif kind is FeedbackKind.NPS:
            score = round(10 * mood)
        else:
            text = rng.choice(texts.WORDS[kind]).format(**words)
        self._journal.add(
            FeedbackGiven(
                event_id="",
                customer_id=self._customer_id,
                occurred_at=at,
                source=SOURCE,
                feedback_id=self._journal.key("F"),
                kind=kind,
                score=score,
                text=text,
                about=about,
            )
        )


def soon(at: datetime, *, minutes: float, rng: Random) -> datetime:
    """Some while after ``at``: short ones are likelier, the mean is ``minutes``; at least 30 s."""
    return at + timedelta(seconds=30, milliseconds=round(rng.expovariate(1 / minutes) * 60_000))
