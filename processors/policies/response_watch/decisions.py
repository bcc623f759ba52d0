"""Response watch: every open contact has a clock, on every channel; the ability to respond matters most of all (Cincom,
figure 1), and whoever stalls, denies and avoids is defeated by whoever answers (Seth Godin).

A customer who waits too long for a person is told so, then somebody on staff is asked to step in. One matter is one
case, on however many channels. A case that is reopened within days of its end was not solved, and goes straight to a
person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from processors.journey.actions import Recall, Task, Want
from processors.journey.cases import Case, given_up, open_cases, told_of
from processors.journey.known import Escalates, Known
from processors.journey.playbook import Playbook
from processors.journey.policy import as_text
from processors.journey.settling import DueTime, JourneyStep, Settling, deadline
from processors.journey.wanting import want_of
from processors.policies.response_watch.rules import ResponseRules
from streams.durations import whole_minutes
from streams.events import Contact, JourneyState

HOLDING, ESCALATION, CAME_BACK = "holding", "escalation", "came_back"


class ResponseWatch(Settling):
    """The policy described in the module's docstring."""

    name = "response_watch"
    why: Mapping[str, str] = {
        "en": "A question deserves an answer from a person, and an honest word until then.",
        "de": "Eine Frage verdient die Antwort eines Menschen, und bis dahin ein ehrliches Wort.",
        "es": "Una pregunta merece la respuesta de una persona y, hasta entonces, una palabra honesta.",
        "pt": "Uma pergunta merece a resposta de uma pessoa e, até lá, uma palavra honesta.",
        "fr": "Une question mérite la réponse d’une personne et, d’ici là, une parole honnête.",
    }

    def watched(self, state: JourneyState) -> Sequence[Contact]:
        """Return all contacts."""
        return state.contacts

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep | Recall]:
        """Yield what each unanswered case needs by now, and the recall of the tasks of answered and closed ones."""
        rules = playbook.rules_of(ResponseRules)
        if rules is None or not state.contacts:
            return
        cases = open_cases(state)
        for case in cases:
            if case.answered:
                said = "a person has answered"
                yield from self.called_off(state, case.journey_id, now, reason="answered", explanation=said)
                continue
            if came_back(case, rules):
                at = case.opened_at
                make = partial(self._escalate, state, case, now, playbook, rules, occasion=CAME_BACK, at=at)
                yield JourneyStep(case.journey_id, CAME_BACK, make)
            elif now >= (at := case.opened_at + rules.clock(case.channel).escalate_after):
                make = partial(self._escalate, state, case, now, playbook, rules, occasion=ESCALATION, at=at)
                yield JourneyStep(case.journey_id, ESCALATION, make)
            if now >= case.opened_at + rules.clock(case.channel).holding_after:
                yield JourneyStep(case.journey_id, HOLDING, partial(self._holding, state, case, now, playbook, rules))
        open_ = {case.journey_id for case in cases}
        for journey in sorted({note.journey_id for note in state.outreach if note.policy == self.name} - open_):
            if not given_up(state, journey):  # a customer who gave up waiting is still owed an answer
                yield from self.called_off(state, journey, now, reason="closed", explanation="the case is closed")

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[DueTime]:
        """Yield when the clocks of the unanswered cases run out."""
        rules = playbook.rules_of(ResponseRules)
        if rules is None or not state.contacts:
            return
        for case in open_cases(state):
            if not case.answered:
                clock = rules.clock(case.channel)
                yield case.journey_id, case.opened_at + clock.holding_after
                yield case.journey_id, case.opened_at + clock.escalate_after

    def _holding(
        self, state: JourneyState, case: Case, now: datetime, playbook: Playbook, rules: ResponseRules
    ) -> Want:
        holding_after = rules.clock(case.channel).holding_after
        return self._want(
            state, case, now, playbook,
            occasion=HOLDING,
            useful_until=case.opened_at + holding_after + rules.holding_useful,
        )  # fmt: skip

    def _escalate(
        self, state: JourneyState, case: Case, now: datetime, playbook: Playbook, rules: ResponseRules, *,
        occasion: str, at: datetime,
    ) -> Want:  # fmt: skip
        by = deadline(at, rules.escalated_due, now)
        return self._want(
            state, case, now, playbook,
            occasion=occasion,
            useful_until=by.useful_until,
            task=Task(team=rules.escalate_to, due_at=by.due),
        )  # fmt: skip

    def _want(
        self, state: JourneyState, case: Case, now: datetime, playbook: Playbook, *,
        occasion: str, useful_until: datetime, task: Task | None = None,
    ) -> Want:  # fmt: skip
        return want_of(
            self,
            state,
            playbook,
            journey_id=case.journey_id,
            occasion=occasion,
            variables={
                **told_of(state, case),
                "closed_before": as_text(case.closed_before),
                "waiting_minutes": str(max(whole_minutes(now - case.opened_at), 0)),
                "due_at": as_text(task.due_at if task else None),
            },
            useful_until=useful_until,
            task=task,
            answers=True,
            escalation=task is not None,
            inputs={
                "subject": case.subject,
                "channels": ", ".join(sorted({contact.channel.value for contact in case.contacts})),
                "opened_at": as_text(case.opened_at),
            },
        )


def came_back(case: Case, rules: ResponseRules) -> bool:
    """Return whether the case was closed as solved a few days before it was reopened."""
    return case.closed_before is not None and case.opened_at - case.closed_before <= rules.came_back_within


def knows(state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Known]:
    """Yield when a lead will be asked to step in, for each unanswered case that has not reached that time."""
    rules = playbook.rules_of(ResponseRules)
    if rules is None:
        return
    for case in open_cases(state):
        at = case.opened_at + rules.clock(case.channel).escalate_after
        if not case.answered and at > now:
            yield Escalates(journey_id=case.journey_id, at=at)
