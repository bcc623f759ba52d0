"""Promise watch: if a promise passes without news, somebody on staff finds out what happened; and a customer whose wait
is so long that automatic letters stop is taken care of in person.

Delay care writes to the customer; this policy gives staff their tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from processors.journey.actions import Recall, Task, Want
from processors.journey.evolve.delays import journey_id
from processors.journey.playbook import Playbook
from processors.journey.policy import as_text
from processors.journey.settling import DueTime, JourneyStep, Settling, deadline
from processors.journey.wait_rules import wait_rules
from processors.journey.waits import is_last, lapsed, lapses_at
from processors.journey.wanting import want_of
from processors.policies.promise_watch.rules import PromiseRules
from streams.events import Delay, JourneyState

FIND_OUT, SETTLE = "find_out", "settle"


class PromiseWatch(Settling):
    """The policy described in the module's docstring."""

    name = "promise_watch"
    why: Mapping[str, str] = {
        "en": "A promise that passes in silence is ours to notice, not yours.",
        "de": "Wenn ein Versprechen still verstreicht, müssen wir es merken, nicht Sie.",
        "es": "Si una promesa vence en silencio, nos toca a nosotros darnos cuenta, no a usted.",
        "pt": "Se uma promessa vence em silêncio, cabe a nós perceber, não a você.",
        "fr": "Quand une promesse passe en silence, c’est à nous de le remarquer, pas à vous.",
    }

    def watched(self, state: JourneyState) -> Sequence[Delay]:
        """Return the waits."""
        return state.delays

    def steps(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[JourneyStep | Recall]:
        """Yield the tasks to find out and to settle, and their recall once the outcome is known."""
        rules = playbook.rules_of(PromiseRules)
        if rules is None:
            return
        for delay in state.delays:
            kind = wait_rules(playbook, delay.subject_kind)
            journey, make = journey_id(delay), partial(self._task, state, delay, now, playbook, rules)
            if delay.closed_at is not None:
                if not lapsed(delay):
                    yield from self.called_off(
                        state, journey, now, reason="wait_over", explanation="the outcome is known"
                    )
                continue
            if not delay.unannounced:
                yield from self._noticed(state, delay, now)
            elif not delay.cancelled:
                yield JourneyStep(journey, FIND_OUT, partial(make, FIND_OUT))
            if delay.letters and not delay.cancelled and is_last(delay, now, kind):
                yield JourneyStep(journey, SETTLE, partial(make, SETTLE))

    def _noticed(self, state: JourneyState, delay: Delay, now: datetime) -> Iterator[Recall]:
        if delay.named_as is None:
            return  # the wait did not begin unannounced
        said = "the publisher reported it after all"
        for retract in self.called_off(state, journey_id(delay), now, reason="noticed", explanation=said):
            if retract.occasion == FIND_OUT:
                yield retract

    def moments(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[DueTime]:
        """Yield when a wait has lasted so long that somebody has to settle it."""
        if playbook.rules_of(PromiseRules) is None:
            return
        for delay in state.delays:
            rules = wait_rules(playbook, delay.subject_kind)
            if delay.closed_at is None and rules.update_every is not None:
                yield journey_id(delay), lapses_at(delay, rules) - rules.update_every

    def _task(
        self,
        state: JourneyState,
        delay: Delay,
        now: datetime,
        playbook: Playbook,
        rules: PromiseRules,
        occasion: str,
    ) -> Want:
        by = deadline(now, rules.within, now)
        return want_of(
            self,
            state,
            playbook,
            journey_id=journey_id(delay),
            occasion=occasion,
            variables={
                "name": state.profile.name or "",
                "customer_id": state.customer_id,
                "description": delay.description,
                "subject": f"{delay.subject_kind} {delay.subject_id}",
                "order_id": delay.order_id or "",
                "promised_at": as_text(delay.promised_at),
                "by_day": "yes" if delay.by_day else "",
                "letters": str(delay.letters),
                "due_at": as_text(by.due),
            },
            useful_until=by.useful_until,
            task=Task(team=rules.team, due_at=by.due),
            answers=occasion == FIND_OUT,  # finding out does not contact the customer
            inputs={"subject": f"{delay.subject_kind} {delay.subject_id}"},
        )
