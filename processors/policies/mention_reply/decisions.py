"""Mention reply: blogs, posts and reviews are read, and a person answers, within hours (Zappos, as told by Cleveland).

Praise gets a personal thank-you. A complaint gets a rescue: a team that owns it, and a deadline, which is short where
many are reading; left undone, it goes to somebody who can make it happen.
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
_OF_THE_DAY = timedelta(days=14)
"""Nobody answers an older post."""


class MentionReply(Settling):
    """See the module."""

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
        """The posts."""
        return state.mentions

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep | Recall]:
        """A task for each post that wants an answer; none once it has one."""
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
        """A post of another day."""
        rules = playbook.rules_of(MentionRules)
        if rules is None or event.occurred_at > now - _OF_THE_DAY:
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
        """The deadlines of the rescues; that a post is of another day can wait until something else happens."""
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
        """Close the posts that nobody will answer any more."""
        if all(one.closed_at is not None or now < one.opened_at + _OF_THE_DAY for one in state.mentions):
            return state
        mentions = (
            replace(one, closed_at=now) if one.closed_at is None and now >= one.opened_at + _OF_THE_DAY else one
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
    """One post."""
    return journey_about("mention", mention.mention_id)


def rescue_by(mention: Mention, rules: MentionRules, opened: datetime) -> Deadline:
    """By when a complaint is answered: sooner where many are reading. ``opened``: when somebody was asked to."""
    wide = mention.reach is not None and mention.reach >= rules.wide_reach
    return deadline(mention.opened_at, rules.wide_within if wide else rules.rescue_within, opened)
