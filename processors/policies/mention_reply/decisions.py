"""Mention reply: a person reads blogs, posts and reviews and answers them within hours (Zappos, as told by Cleveland).

Praise gets a personal thank-you. A complaint gets a rescue task with a team and a deadline, which is shorter if the
post has many readers; if it is not done in time, it is escalated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from processors.journey.actions import Recall, Suppress, Task, Want
from processors.journey.naming import journey_about
from processors.journey.playbook import Playbook
from processors.journey.policy import as_text
from processors.journey.settling import Deadline, DueTime, JourneyStep, Settling, deadline
from processors.journey.wanting import want_of
from processors.policies.mention_reply.rules import MentionRules
from streams.events import JourneyState, Mention, MentionPosted, Sentiment, replace

THANKS, RESCUE, ESCALATION = "thank_you", "rescue", "escalation"
_ANSWERED_WITHIN = timedelta(days=14)
"""Older posts are not answered."""


class MentionReply(Settling):
    """The policy described in the module's docstring."""

    name = "mention_reply"
    answers = (MentionPosted,)
    final = frozenset({"nothing_to_answer"})
    why: Mapping[str, str] = {
        "en": "Whoever speaks about us in public deserves an answer from a person.",
        "de": "Wer öffentlich über uns spricht, verdient die Antwort eines Menschen.",
        "es": "Quien habla de nosotros en público merece la respuesta de una persona.",
        "pt": "Quem fala de nós em público merece a resposta de uma pessoa.",
        "fr": "Qui parle de nous en public mérite la réponse d’une personne.",
    }

    def watched(self, state: JourneyState) -> Sequence[Mention]:
        """Return the posts."""
        return state.mentions

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep | Recall]:
        """Yield a task for each post that needs an answer, and the recall of the tasks of answered ones."""
        rules = playbook.rules_of(MentionRules)
        if rules is None:
            return
        for mention in state.mentions:
            journey = journey_id(mention)
            if mention.answered_at is not None:
                said = "a person has answered"
                yield from self.called_off(state, journey, now, reason="answered", explanation=said)
            elif mention.closed_at is not None:
                continue
            elif mention.sentiment is Sentiment.POSITIVE:
                by = deadline(mention.opened_at, rules.thanks_within, now)
                make = partial(self._want, state, mention, playbook, occasion=THANKS, team=rules.thanks_by, by=by)
                yield JourneyStep(journey, THANKS, make)
            elif mention.sentiment is Sentiment.NEGATIVE:
                begun = self.sent_at(state, journey, RESCUE)
                by = rescue_by(mention, rules, begun or now)
                make = partial(self._want, state, mention, playbook, occasion=RESCUE, team=rules.rescue_by, by=by)
                yield JourneyStep(journey, RESCUE, make)
                due = self.due_of(state, journey, RESCUE, by.due)
                if begun is not None and now >= due:
                    by = deadline(due, rules.escalated_due, now)
                    make = partial(
                        self._want, state, mention, playbook, occasion=ESCALATION, team=rules.escalate_to, by=by
                    )
                    yield JourneyStep(journey, ESCALATION, make)
            else:
                yield JourneyStep(journey, THANKS, partial(self._leave, state, mention, now, playbook, rules))

    def too_late(self, state: JourneyState, event: MentionPosted, now: datetime, playbook: Playbook) -> Want | None:
        """Return the task that a post which is too old to answer would have got."""
        rules = playbook.rules_of(MentionRules)
        if rules is None or event.occurred_at > now - _ANSWERED_WITHIN:
            return None
        for mention in state.mentions:
            if mention.mention_id != event.mention_id or mention.closed_at is not None:
                continue
            if mention.sentiment is Sentiment.POSITIVE:
                by = deadline(mention.opened_at, rules.thanks_within, now)
                return self._want(state, mention, playbook, occasion=THANKS, team=rules.thanks_by, by=by)
            if mention.sentiment is Sentiment.NEGATIVE:
                by = rescue_by(mention, rules, now)
                return self._want(state, mention, playbook, occasion=RESCUE, team=rules.rescue_by, by=by)
        return None

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[DueTime]:
        """Yield the deadlines of the rescues. That a post becomes too old needs no timer."""
        rules = playbook.rules_of(MentionRules)
        if rules is None:
            return
        for mention in state.mentions:
            if mention.closed_at is None and mention.sentiment is Sentiment.NEGATIVE:
                journey = journey_id(mention)
                begun = self.sent_at(state, journey, RESCUE)
                if begun is not None:
                    yield journey, self.due_of(state, journey, RESCUE, rescue_by(mention, rules, begun).due)

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Close the posts that are too old to answer."""
        if all(one.closed_at is not None or now < one.opened_at + _ANSWERED_WITHIN for one in state.mentions):
            return state
        mentions = (
            replace(one, closed_at=now) if one.closed_at is None and now >= one.opened_at + _ANSWERED_WITHIN else one
            for one in state.mentions
        )
        return replace(state, mentions=tuple(mentions))

    def _leave(
        self, state: JourneyState, mention: Mention, now: datetime, playbook: Playbook, rules: MentionRules
    ) -> Suppress:
        by = deadline(mention.opened_at, rules.thanks_within, now)
        want = self._want(state, mention, playbook, occasion=THANKS, team=rules.thanks_by, by=by)
        return Suppress(want=want, reason="nothing_to_answer", explanation="neither praise nor a complaint")

    def _want(
        self, state: JourneyState, mention: Mention, playbook: Playbook, *, occasion: str, team: str, by: Deadline
    ) -> Want:
        return want_of(
            self,
            state,
            playbook,
            journey_id=journey_id(mention),
            occasion=occasion,
            variables={
                "name": state.profile.name or "",
                "customer_id": state.customer_id,
                "platform": mention.platform,
                "link": mention.link or "",
                "text": mention.text or "",
                "reach": "" if mention.reach is None else str(mention.reach),
                "posted_at": as_text(mention.opened_at),
                "due_at": as_text(by.due),
            },
            useful_until=by.useful_until,
            task=Task(team=team, due_at=by.due),
            escalation=occasion == ESCALATION,
            inputs={
                "subject": f"mention {mention.mention_id}",
                "sentiment": mention.sentiment.value,
                "reach": "" if mention.reach is None else str(mention.reach),
            },
        )


def journey_id(mention: Mention) -> str:
    """Return the journey id of a post."""
    return journey_about("mention", mention.mention_id)


def rescue_by(mention: Mention, rules: MentionRules, opened: datetime) -> Deadline:
    """Return the deadline for answering a complaint: shorter for posts with many readers. ``opened``: when the task was
    opened."""
    wide = mention.reach is not None and mention.reach >= rules.wide_reach
    return deadline(mention.opened_at, rules.wide_within if wide else rules.rescue_within, opened)
