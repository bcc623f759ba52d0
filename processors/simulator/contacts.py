"""How made-up customers contact us, and the feedback that they give afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from processors.simulator import texts
from processors.simulator.answering import AGENTS, answer_post, give
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
_POPULAR = {Channel.CALL: 45, Channel.CHAT: 28, Channel.EMAIL: 15, Channel.SOCIAL: 12}
_CHANNELS = tuple(_POPULAR)
_ANSWER_SECONDS = {  # until a person answers, on a quiet day
    Channel.CALL: (20, 300),
    Channel.CHAT: (15, 240),
    Channel.EMAIL: (1200, 14400),
    Channel.SOCIAL: (600, 7200),
}
_PLATFORMS = ("microblog", "photos", "forum", "reviews")
_AGAIN: dict[Resolution | None, tuple[float, float]] = {  # share that asks again, and after how many minutes
    None: (0.5, 150),
    Resolution.ABANDONED: (0.5, 15),
    Resolution.SOLVED: (0.015, 700),
    Resolution.UNSOLVED: (0.25, 300),
    Resolution.TRANSFERRED: (0.15, 240),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How a conversation ended; ``resolution`` is None where it stays open, unanswered."""

    at: datetime
    resolution: Resolution | None
    agent_id: str | None = None


class Voices:
    """Writes one made-up customer's contacts and posts, and the answers, to the journal."""

    def __init__(self, *, journal: Journal, rng: Random, customer_id: str) -> None:
        self._journal = journal
        self._rng = rng
        self._customer_id = customer_id

    def contact(
        self, at: datetime, *, asked: Sequence[str], matter: str | None, stress: float, words: dict[str, str]
    ) -> datetime:
        """A conversation from opening to end; returns the time of its last event.

        ``stress`` from 0 (a quiet day) to 1 (a storm) makes answers slower, and some callers hang up unanswered. Some
        customers try another channel, or come back within the day because the matter was not solved.
        """
        opened = self._opening(at, asked=asked, matter=matter, words=words)
        ended = self._conversation(opened, stress=stress, words=words)
        self._comes_back(opened, ended, stress=stress, words=words)
        return ended.at

    def _opening(
        self,
        at: datetime,
        *,
        asked: Sequence[str],
        matter: str | None,
        words: dict[str, str],
        channels: tuple[Channel, ...] = _CHANNELS,
        contact_id: str | None = None,
    ) -> ContactOpened:
        channel = self._rng.choices(channels, [_POPULAR[channel] for channel in channels])[0]
        opened = ContactOpened(
            event_id="",
            customer_id=self._customer_id,
            occurred_at=at,
            source=SOURCE,
            contact_id=contact_id or self._journal.key("C"),
            channel=channel,
            matter=matter,
            summary=self._rng.choice(asked).format(**words),
        )
        self._journal.add(opened)
        return opened

    def _conversation(self, opened: ContactOpened, *, stress: float, words: dict[str, str]) -> _Ended:
        rng, journal, customer_id = self._rng, self._journal, self._customer_id
        at, channel, contact_id = opened.occurred_at, opened.channel, opened.contact_id
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
            if channel not in (Channel.CALL, Channel.CHAT):
                return _Ended(at=answered_at, resolution=None)  # a mail or post stays open, unanswered
            self._close(contact_id, answered_at, Resolution.ABANDONED)  # gave up waiting
            return _Ended(at=answered_at, resolution=Resolution.ABANDONED)
        agent_id = f"agent-{rng.randint(1, AGENTS):02d}"
        reply = ContactReplied(
            event_id="",
            customer_id=customer_id,
            occurred_at=answered_at,
            source=SOURCE,
            contact_id=contact_id,
            channel=channel,
            agent_id=agent_id,
            summary=rng.choice(texts.ANSWERED),
        )
        journal.add(reply)
        closed_at = answered_at + rng.randint(60, 900) * _SECOND
        give(reply, until=closed_at, stress=stress, about=opened.matter or contact_id, journal=journal)
        ends = (Resolution.SOLVED, Resolution.UNSOLVED, Resolution.TRANSFERRED)
        resolution = rng.choices(ends, (86 - 30 * stress, 8 + 22 * stress, 6 + 8 * stress))[0]
        self._close(contact_id, closed_at, resolution, agent_id)
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
                    about=opened.matter or contact_id,
                )
            )
        return _Ended(at=closed_at, resolution=resolution, agent_id=agent_id)

    def _close(self, contact_id: str, at: datetime, resolution: Resolution, agent_id: str | None = None) -> None:
        self._journal.add(
            ContactClosed(
                event_id="",
                customer_id=self._customer_id,
                occurred_at=at,
                source=SOURCE,
                contact_id=contact_id,
                resolution=resolution,
                agent_id=agent_id,
            )
        )

    def _comes_back(self, opened: ContactOpened, ended: _Ended, *, stress: float, words: dict[str, str]) -> None:
        """A customer who reached nobody soon tries another channel; a few of the others come back once, hours later."""
        chance = self._journal.chance("again", opened.contact_id)
        share, minutes = _AGAIN[ended.resolution]
        if chance.random() >= share:
            return
        others: tuple[Channel, ...] = (Channel.CALL, Channel.CHAT)  # after an unanswered mail, they want a person
        if ended.resolution is not None:
            others = tuple(channel for channel in _CHANNELS if channel is not opened.channel)
        reopened = opened.matter is None  # only the conversation itself shows that it is the same matter
        voice = Voices(journal=self._journal, rng=chance, customer_id=self._customer_id)
        again = voice._opening(
            soon(ended.at, minutes=minutes, rng=chance),
            asked=texts.ASKED_AGAIN,
            matter=opened.matter,
            words=words,
            channels=(opened.channel,) if reopened else others,
            contact_id=opened.contact_id if reopened else None,
        )
        settled = voice._conversation(again, stress=stress, words=words)
        if ended.resolution is None and settled.resolution not in (None, Resolution.ABANDONED) and not reopened:
            self._close(opened.contact_id, settled.at + _SECOND, settled.resolution, settled.agent_id)

    def mention(self, at: datetime, *, stress: float, words: dict[str, str]) -> None:
        """A public post, and our answer; the higher the stress, the more negative the post."""
        rng = self._rng
        tones = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
        tone = rng.choices(tones, (6 + 70 * stress, 30, 45 - 35 * stress))[0]
        mention_id = self._journal.key("M")
        platform = rng.choice(_PLATFORMS)
        post = MentionPosted(
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
        self._journal.add(post)
        answer_post(post, journal=self._journal)

    def feedback(self, at: datetime, *, about: str | None, stress: float, words: dict[str, str]) -> None:
        """A survey answer or unsolicited feedback; scores fall as stress grows."""
        rng = self._rng
        kinds = (FeedbackKind.CSAT, FeedbackKind.NPS, FeedbackKind.COMPLAINT, FeedbackKind.PRAISE, FeedbackKind.STORY)
        kind = rng.choices(kinds, (50, 34, 1 + 16 * stress, 9 - 7 * stress, 2))[0]
        mood = min(1.0, max(0.0, rng.gauss(0.86 - 0.6 * stress, 0.2)))
        score: int | None = None
        text: str | None = None
        tone = Sentiment.UNKNOWN
        feedback_id = self._journal.key("F")
        if kind is FeedbackKind.CSAT:
            score = 1 + round(4 * mood)
        elif kind is FeedbackKind.NPS:
            score = round(10 * mood)
        else:
            text, tone = rng.choice(texts.WORDS[kind]), texts.TONES[kind]
            chance = self._journal.chance("story", feedback_id)
            if kind is FeedbackKind.STORY and chance.random() > mood:
                text, tone = chance.choice(texts.SAD_STORIES), Sentiment.NEGATIVE
            text = text.format(**words)
        self._journal.add(
            FeedbackGiven(
                event_id="",
                customer_id=self._customer_id,
                occurred_at=at,
                source=SOURCE,
                feedback_id=feedback_id,
                kind=kind,
                score=score,
                text=text,
                about=about,
                sentiment=tone,
            )
        )


def soon(at: datetime, *, minutes: float, rng: Random) -> datetime:
    """30 s after ``at``, plus an exponentially distributed time with a mean of ``minutes``."""
    return at + timedelta(seconds=30, milliseconds=round(rng.expovariate(1 / minutes) * 60_000))
