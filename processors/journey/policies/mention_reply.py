"""Mention reply: blogs, posts and reviews are read, and a person answers, within hours (Zappos, as told by Cleveland).

Praise gets a personal thank-you. A complaint gets a rescue: a team that owns it, and a deadline, which is short where
many are reading; left undone, it goes to somebody who can make it happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from processors.journey.actions import Retract, Suppress, Task, Want
from processors.journey.playbook import MentionRules, Playbook
from processors.journey.policies.policy import as_text
from processors.journey.policies.settling import TASK_LIVES, Moment, Settling, Step
from processors.journey.wording import wording
from streams.events import JourneyState, Mention, Purpose, Sentiment, replace

THANKS, RESCUE, ESCALATION = "thank_you", "rescue", "escalation"
_OF_THE_DAY = timedelta(days=14)
"""Nobody answers an older post."""


class MentionReply(Settling):
    """See the module."""

    name = "mention_reply"
    watches = "mentions"
    final = frozenset({"nothing_to_answer"})
    why: Mapping[str, str] = {
        "en": "Whoever speaks about us in public deserves an answer from a person.",
        "de": "Wer öffentlich über uns spricht, verdient die Antwort eines Menschen.",
        "es": "Quien habla de nosotros en público merece la respuesta de una persona.",
        "pt": "Quem fala de nós em público merece a resposta de uma pessoa.",
        "fr": "Qui parle de nous en public mérite la réponse d’une personne.",
    }

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Step | Retract]:
        """A task for each post that wants an answer; none once it has one."""
        rules = playbook.mentions
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
                due = mention.opened_at + rules.thanks_within
                make = partial(self._want, state, mention, playbook, occasion=THANKS, team=rules.thanks_by, due=due)
                yield Step(journey, THANKS, make)
            elif mention.sentiment is Sentiment.NEGATIVE:
                due = rescue_due(mention, rules)
                make = partial(self._want, state, mention, playbook, occasion=RESCUE, team=rules.rescue_by, due=due)
                yield Step(journey, RESCUE, make)
                due = self.due_of(state, journey, RESCUE, due)
                if now >= due and self.is_settled(state, journey, RESCUE):
                    later = due + rules.escalated_due
                    make = partial(
                        self._want, state, mention, playbook, occasion=ESCALATION, team=rules.escalate_to, due=later
                    )
                    yield Step(journey, ESCALATION, make)
            else:
                yield Step(journey, THANKS, partial(self._leave, state, mention, playbook, rules))

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Moment]:
        """The deadlines of the rescues; that a post is of another day can wait until something else happens."""
        rules = playbook.mentions
        if rules is None:
            return
        for mention in state.mentions:
            if mention.closed_at is None and mention.sentiment is Sentiment.NEGATIVE:
                journey = journey_id(mention)
                yield journey, self.due_of(state, journey, RESCUE, rescue_due(mention, rules))

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Close the posts that nobody will answer any more."""
        if all(one.closed_at is not None or now < one.opened_at + _OF_THE_DAY for one in state.mentions):
            return state
        mentions = (
            replace(one, closed_at=now) if one.closed_at is None and now >= one.opened_at + _OF_THE_DAY else one
            for one in state.mentions
        )
        return replace(state, mentions=tuple(mentions))

    def _leave(self, state: JourneyState, mention: Mention, playbook: Playbook, rules: MentionRules) -> Suppress:
        due = mention.opened_at + rules.thanks_within
        want = self._want(state, mention, playbook, occasion=THANKS, team=rules.thanks_by, due=due)
        return Suppress(want=want, reason="nothing_to_answer", explanation="neither praise nor a complaint")

    def _want(
        self, state: JourneyState, mention: Mention, playbook: Playbook, *, occasion: str, team: str, due: datetime
    ) -> Want:
        template = f"{self.name}/{occasion}"
        said = wording(playbook, state.profile.locale, letter=template, why=self.why, task=True)
        return Want(
            policy=self.name,
            why=said.why,
            locale=said.locale,
            journey_id=journey_id(mention),
            occasion=occasion,
            purpose=Purpose.SERVICE,
            template=template,
            variables={
                "name": state.profile.name or "",
                "customer_id": state.customer_id,
                "platform": mention.platform,
                "link": mention.link or "",
                "text": mention.text or "",
                "reach": "" if mention.reach is None else str(mention.reach),
                "posted_at": as_text(mention.opened_at),
                "due_at": as_text(due),
            },
            gesture=None,
            useful_until=due + TASK_LIVES,
            task=Task(team=team, due_at=due),
            escalation=occasion == ESCALATION,
            inputs={
                "subject": f"mention {mention.mention_id}",
                "sentiment": mention.sentiment.value,
                "reach": "" if mention.reach is None else str(mention.reach),
            },
        )


def journey_id(mention: Mention) -> str:
    """One post."""
    return f"mention/{mention.mention_id}"


def rescue_due(mention: Mention, rules: MentionRules) -> datetime:
    """By when a complaint is answered: sooner where many are reading."""
    wide = mention.reach is not None and mention.reach >= rules.wide_reach
    return mention.opened_at + (rules.wide_within if wide else rules.rescue_within)
