"""Delay care: the hours of waiting are a chance to delight (Seth Godin on the delayed flight).

Once a wait passes the playbook's threshold the customer gets a letter with a gesture that fits its expected length.
Further letters follow: the next gesture as the wait grows, a revision when the expected time moves, regular updates
while nothing more is known, a cancellation, and the end of the wait. A promise that passes in silence counts as a wait.
When the wait ends, letters that are no longer true are retracted. No letter is sent that would arrive too late to be
useful. Letters on several waits within a short time are combined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from processors.journey.actions import Action, Hold, Reach, Recall, Release, Suppress, Want
from processors.journey.arrival import as_told, may_be_told_again
from processors.journey.evolve.delays import journey_id, with_wait
from processors.journey.known import Held, Known
from processors.journey.naming import kind_of, numbered
from processors.journey.playbook import Playbook
from processors.journey.policy import Wanted, same_no
from processors.journey.refusals import Refusal, refusal_of, refused
from processors.journey.state import put
from processors.journey.wait_rules import DelayRules, wait_rules
from processors.journey.waits import (
    CANCELLED,
    NOTICE,
    OVER,
    awaited_from,
    expected_wait,
    lapses_at,
    later,
    next_update,
    occasion_of,
    says_when_over,
    silent_at,
    tells,
    unannounced,
    unannounced_too_late,
    useful_until,
)
from processors.policies.delay_care.gathering import gathered, together
from processors.policies.delay_care.letter import letter
from streams.durations import whole_minutes
from streams.events import Delay, DelayNoticed, JourneyState, OrderCancelled, Timer, replace

_PASSING = frozenset({"quiet_hours", "frequency_cap", "gave_way"})
"""Reasons that end by time alone."""


class DelayCare:
    """The policy described in the module's docstring."""

    name = "delay_care"
    why: Mapping[str, str] = {
        "en": "Waiting is hard enough; nobody should also have to ask.",
        "de": "Warten ist schwer genug; niemand sollte auch noch fragen müssen.",
        "es": "Esperar ya es bastante; nadie debería tener además que preguntar.",
        "pt": "Esperar já é bastante difícil; ninguém deveria ainda ter de perguntar.",
        "fr": "Attendre est déjà assez pénible ; personne ne devrait avoir en plus à demander des nouvelles.",
    }

    answers = (DelayNoticed, OrderCancelled)

    def concerns(self, state: JourneyState) -> bool:
        """Return whether there is a wait, or an order that may become one."""
        return bool(state.delays or state.orders)

    def wants(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Wanted]:
        """Yield a letter for each wait that needs one now, combined where possible, and the retractions for waits that
        ended."""
        letters: list[tuple[Delay, Want]] = []
        for delay in state.delays:
            said = self._end if delay.closed_at is not None else self._write
            for one in said(state, delay, now, playbook):
                if isinstance(one, Want):
                    letters.append((delay, one))
                else:
                    yield one
        for group in gathered(letters, now, playbook):
            yield group[0] if len(group) == 1 else together(state, group, playbook, self.why)

    def too_late(
        self, state: JourneyState, event: DelayNoticed | OrderCancelled, now: datetime, playbook: Playbook
    ) -> Want | None:
        """Return the letter that a wait which is already over would have got."""
        if isinstance(event, OrderCancelled):
            return self._cancelled_too_late(state, event, now, playbook)
        for delay in state.delays:
            if (delay.subject_kind, delay.subject_id, delay.as_of) != (
                event.subject_kind,
                event.subject_id,
                event.occurred_at,
            ):
                continue
            if delay.closed_at is not None or delay.letters or refusal_of(delay) is not None:
                continue
            rules = wait_rules(playbook, delay.subject_kind)
            if now >= lapses_at(delay, rules):
                wait = expected_wait(delay, now)
                occasion = occasion_of(delay, wait, now, rules) or NOTICE
                return self._want(state, delay, now, playbook, occasion=occasion, wait=wait)
        return None

    def _cancelled_too_late(
        self, state: JourneyState, event: OrderCancelled, now: datetime, playbook: Playbook
    ) -> Want | None:
        for order in state.orders:
            if order.order_id == event.order_id and order.cancelled_at == event.occurred_at:
                delay = unannounced_too_late(order, state, now, wait_rules(playbook, order.kind))
                if delay is not None:
                    wait = expected_wait(delay, now)
                    return self._want(state, delay, now, playbook, occasion=numbered(CANCELLED, 0), wait=wait)
        return None

    def _write(self, state: JourneyState, delay: Delay, now: datetime, playbook: Playbook) -> Iterator[Wanted]:
        rules = wait_rules(playbook, delay.subject_kind)
        wait = expected_wait(delay, now)
        occasion = _occasion(state, delay, now, rules, playbook)
        news = occasion or (None if delay.letters else NOTICE)
        if news is None:
            yield from self._drop(state, delay, "no_longer_news", "the customer already knows")
            return
        refusal = refusal_of(delay)
        if delay.held_until is not None and (refusal is None or refusal.occasion != news):
            yield from self._drop(state, delay, "no_longer_news", "there is newer news")
        if occasion is None:
            if refusal is None or delay.held_until is not None:
                below = self._want(state, delay, now, playbook, occasion=NOTICE, wait=wait)
                minutes = whole_minutes(rules.threshold)
                yield Suppress(
                    want=below, reason="below_threshold", explanation=f"the wait is shorter than {minutes} minutes"
                )
            return
        yield self._want(state, delay, now, playbook, occasion=occasion, wait=wait)

    def _want(
        self, state: JourneyState, delay: Delay, now: datetime, playbook: Playbook, *, occasion: str, wait: timedelta
    ) -> Want:
        return letter(state, delay, now, playbook, policy=self.name, why=self.why, occasion=occasion, wait=wait)

    def _end(self, state: JourneyState, delay: Delay, now: datetime, playbook: Playbook) -> Iterator[Wanted]:
        rules = wait_rules(playbook, delay.subject_kind)
        still = says_when_over(delay, now, rules)
        refusal = refusal_of(delay)
        if not (still and refusal is not None and kind_of(refusal.occasion) == OVER):
            yield from self._drop(state, delay, "wait_over", "the wait ended while the letter was held")
        if not delay.cancelled:  # a cancellation stays true
            yield from _recalled(state, journey_id(delay), now)
        if still:
            occasion = numbered(OVER, delay.letters)
            yield self._want(state, delay, now, playbook, occasion=occasion, wait=expected_wait(delay, now))

    def _drop(self, state: JourneyState, delay: Delay, reason: str, explanation: str) -> Iterator[Release]:
        """Release a held letter that will not be sent: the hold is on record, so its end is recorded too."""
        if delay.held_until is not None and (refusal := refusal_of(delay)) is not None:
            yield Release(
                policy=self.name,
                journey_id=journey_id(delay),
                occasion=refusal.occasion,
                reason=reason,
                explanation=explanation,
            )

    def after(self, state: JourneyState, action: Action, now: datetime, playbook: Playbook) -> JourneyState:
        """Remember what the customer was told, or why they were not."""
        journey = action.journey_id if isinstance(action, Recall | Release) else action.want.journey_id
        delay = next((item for item in state.delays if journey_id(item) == journey), None)
        if delay is None:
            return state
        rules = wait_rules(playbook, delay.subject_kind)
        match action:
            case Reach(want=want):
                # a gesture that was withheld is not offered again with the next letter
                meant = want.parts[0].gesture if want.parts else want.usual or want.gesture
                given = -1 if meant is None else rules.stage_of(meant.code)
                delay = replace(
                    delay,
                    letters=delay.letters + 1,
                    told_expected_at=delay.expected_at,
                    told_cancelled=delay.cancelled,
                    told_stage=max(delay.told_stage, given),
                    refused=None,
                    held_until=None,
                    told_at=now,
                )
            case Hold(want=want, until=until, reason=reason):
                delay = refused(delay, Refusal(want.occasion, reason), held_until=until)
            case Suppress(want=want, reason=reason):
                delay = refused(delay, Refusal(want.occasion, reason), held_until=None)
            case Recall() | Release():
                delay = replace(delay, held_until=None)
        return replace(state, delays=put(state.delays, delay, journey_id))

    def is_news(self, state: JourneyState, action: Action) -> bool:
        """Return whether to record the decision: a refusal unless the last one was the same, where a hold and a
        suppression differ."""
        if isinstance(action, Reach | Recall | Release):
            return True
        occasion, held = action.want.occasion, isinstance(action, Hold)
        return not any(
            (refusal := refusal_of(delay)) is not None
            and refusal.occasion == occasion
            and same_no(refusal.reason, action.reason)
            and (delay.held_until is not None) == held
            for delay in state.delays
            if journey_id(delay) == action.want.journey_id
        )

    def timers(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Timer]:
        """Yield the end of each hold, the time of the next gesture or update, the time when the wait lapses, and the
        time when an order's promise has passed in silence."""
        for delay in state.delays:
            later_ = [moment for moment in _moments(delay, now, playbook) if moment > now]
            if later_:
                journey = journey_id(delay)
                yield Timer(timer_id=f"{self.name}/{journey}", due_at=min(later_), policy=self.name, journey_id=journey)
        for order in state.orders:
            due = silent_at(order, state, wait_rules(playbook, order.kind))
            if due is not None and due > now:
                journey = f"promise/{order.kind}/{order.order_id}"
                yield Timer(timer_id=f"{self.name}/{journey}", due_at=due, policy=self.name, journey_id=journey)

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Begin the waits that nobody announced, and close those whose end nobody reported."""
        for order in state.orders:
            rules = wait_rules(playbook, order.kind)
            since = awaited_from(order, now, rules)
            if since != order.awaited_from:
                order = replace(order, awaited_from=since)
                state = replace(state, orders=put(state.orders, order, lambda one: one.order_id))
            wait = unannounced(order, state, now, rules)
            if wait is not None:
                state = with_wait(state, wait)
        for delay in state.delays:
            if delay.closed_at is None and now >= lapses_at(delay, wait_rules(playbook, delay.subject_kind)):
                closed = replace(delay, closed_at=now)  # its held letter is then released on record
                state = replace(state, delays=put(state.delays, closed, journey_id))
        return state


def _moments(delay: Delay, now: datetime, playbook: Playbook) -> Iterator[datetime]:
    rules = wait_rules(playbook, delay.subject_kind)
    if delay.closed_at is not None:
        if delay.held_until is not None:
            yield delay.held_until
        return
    yield lapses_at(delay, rules)
    if delay.held_until is not None:
        yield delay.held_until
    elif (refusal := refusal_of(delay)) is not None and refusal.reason in _PASSING:
        # the night or the cap was expected to outlast the wait; if the wait continues, the letter is still due
        yield useful_until(delay, now, rules)
    if delay.cancelled:
        return
    if not delay.letters:
        yield later(delay.promised_at, rules.threshold)
    for at, stage in enumerate(rules.stages):
        if at > delay.told_stage:
            yield later(delay.promised_at, stage.wait)
    update = next_update(delay, rules)
    if update is not None:
        yield update


def _occasion(state: JourneyState, delay: Delay, now: datetime, rules: DelayRules, playbook: Playbook) -> str | None:
    """Return the occasion as :func:`occasion_of` does, counting only letters that arrived. One that did not is resent
    if there is another address."""
    notes = tuple(note for note in state.outreach if tells(note, DelayCare.name, journey_id(delay)))
    told, wait = as_told(delay, notes, rules), expected_wait(delay, now)
    news = occasion_of(delay, wait, now, rules)
    if told is delay or (news is None and not may_be_told_again(notes[-1], notes, state, playbook)):
        return news
    occasion = occasion_of(told, wait, now, rules)
    if occasion is None or told.letters:
        return occasion
    return numbered(kind_of(occasion), delay.letters)  # numbered by all letters, failed ones too


def _recalled(state: JourneyState, journey: str, now: datetime) -> Iterator[Recall]:
    for note in state.outreach:
        if note.retracted_at is not None or note.useful_until <= now or not tells(note, DelayCare.name, journey):
            continue
        if kind_of(note.occasion) == OVER:
            continue  # the letter says that the wait is over
        known = {note.journey_id, *note.journeys}
        if any(delay.closed_at is None and journey_id(delay) in known for delay in state.delays):
            continue  # the letter is still true for another wait
        said = "the wait ended sooner than the letter said"
        yield Recall.of(note, reason="wait_over", explanation=said)


def knows(state: JourneyState, now: datetime, playbook: Playbook) -> Iterator[Known]:
    """Yield the letters on hold; refusals are kept with the wait."""
    for delay in state.delays:
        if delay.held_until is not None:
            occasion, reason = refusal_of(delay) or ("", "")
            yield Held(policy=DelayCare.name, occasion=occasion, reason=reason, until=delay.held_until)
