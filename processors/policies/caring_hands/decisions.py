"""Caring hands: send one call in a hundred to somebody who is trained to care and has all the time it takes, and
measure what that does to satisfaction and word of mouth (Seth Godin).

A hash selects the cases, so urgency and insistence have no influence. The journey state holds the assignment for the
call router (``Contact.routed_to``), and both arms are recorded as exposures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from processors.journey.actions import Action, Assigned, Expose, Reach, Recall, Task, Want
from processors.journey.cases import Case, open_cases, told_of
from processors.journey.experiments import draw
from processors.journey.playbook import Playbook
from processors.journey.policy import as_text
from processors.journey.settling import JourneyStep, Settling
from processors.journey.wanting import want_of
from processors.policies.caring_hands.rules import CaringRules
from streams.events import Contact, ContactOpened, JourneyState, replace

ASSIGNED = "assigned"
CARING, USUAL = "caring", "usual"


class CaringHands(Settling):
    """The policy described in the module's docstring."""

    name = "caring_hands"
    answers = (ContactOpened,)
    why: Mapping[str, str] = {
        "en": "Some care cannot be hurried.",
        "de": "Manche Zuwendung verträgt keine Eile.",
        "es": "Hay atenciones que no admiten prisa.",
        "pt": "Há cuidados que não admitem pressa.",
        "fr": "Il est des attentions qui ne souffrent aucune hâte.",
    }

    def watched(self, state: JourneyState) -> Sequence[Contact]:
        """Return all contacts."""
        return state.contacts

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep | Recall | Expose]:
        """Yield the assignment of each case; a case in the usual arm is only an exposure."""
        rules = playbook.rules_of(CaringRules)
        if rules is None or not state.contacts:
            return
        for case in open_cases(state):
            if case.answered or now >= case.opened_at + rules.useful:
                if case.answered:
                    said = "a person has answered"
                    yield from self.called_off(state, case.journey_id, now, reason="answered", explanation=said)
                continue
            met = self._draw(state, case, rules)
            if met.first:
                yield Expose(policy=self.name, journey_id=case.journey_id, met=met)
            if met.arm == USUAL:
                continue
            make = partial(self._want, state, case, playbook, rules, bucket=met.bucket)
            yield JourneyStep(case.journey_id, ASSIGNED, make)

    def too_late(self, state: JourneyState, event: ContactOpened, now: datetime, playbook: Playbook) -> Want | None:
        """Return the assignment that the case would have got."""
        rules = playbook.rules_of(CaringRules)
        if rules is None or now < event.occurred_at + rules.useful:
            return None
        for case in open_cases(state):
            late = not case.answered and now >= case.opened_at + rules.useful
            if late and any(contact.contact_id == event.contact_id for contact in case.contacts):
                met = self._draw(state, case, rules)
                if met.arm == CARING and met.first:
                    return self._want(state, case, playbook, rules, bucket=met.bucket)
        return None

    def _draw(self, state: JourneyState, case: Case, rules: CaringRules) -> Assigned:
        return draw(
            state,
            experiment=self.name,
            seed=rules.seed,
            unit=f"{state.customer_id}/{case.journey_id}",  # two customers' cases may have the same id
            share=rules.share,
            drawn=CARING,
            others=USUAL,
        )

    def after(self, state: JourneyState, action: Action, now: datetime, playbook: Playbook) -> JourneyState:
        """Return the state with the routing set on every contact of the case, on all channels."""
        state = super().after(state, action, now, playbook)
        if isinstance(action, Reach) and playbook.rules_of(CaringRules) is not None:
            return self.lapse(state, now, playbook)
        return state

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Return the state with the routing set on contacts that joined an assigned case."""
        rules = playbook.rules_of(CaringRules)
        if rules is None or not any(one.policy == self.name for one in state.settled):
            return state
        drawn = {
            contact.contact_id
            for case in open_cases(state)
            if self.is_settled(state, case.journey_id, ASSIGNED)
            for contact in case.contacts
            if contact.routed_to is None
        }
        if not drawn:
            return state
        contacts = (replace(one, routed_to=rules.team) if one.contact_id in drawn else one for one in state.contacts)
        return replace(state, contacts=tuple(contacts))

    def _want(self, state: JourneyState, case: Case, playbook: Playbook, rules: CaringRules, *, bucket: float) -> Want:
        due = case.opened_at + rules.useful
        return want_of(
            self,
            state,
            playbook,
            journey_id=case.journey_id,
            occasion=ASSIGNED,
            variables={
                **told_of(state, case),
                "due_at": as_text(due),
            },
            useful_until=due,
            task=Task(team=rules.team, due_at=due),
            answers=True,
            inputs={
                "subject": case.subject,
                "share": f"{rules.share:g}",
                "bucket": f"{bucket:g}",
            },
        )
