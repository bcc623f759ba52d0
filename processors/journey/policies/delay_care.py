"""Delay care: the hours of waiting are a chance to delight (Seth Godin on the delayed flight).

As soon as a wait passes the playbook's threshold the customer hears from us, with a gesture that fits its expected
length. The next gesture comes as the wait grows, a revised message when the expected time moves, another letter when
it will not come at all. When the wait ends, what was promised for it is taken back. Nothing is sent that would arrive
after the wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from processors.journey.actions import Action, Hold, Reach, Retract, Suppress, Want
from processors.journey.evolve.delays import journey_id
from processors.journey.identity import outreach_id
from processors.journey.playbook import DelayRules, GestureOffer, Playbook
from processors.journey.policies.policy import as_text, same_no
from processors.journey.policies.told import as_told, did_not_arrive, may_be_told_again
from processors.journey.state import put
from processors.journey.wording import wording
from streams.events import Delay, DelayNoticed, JourneyState, Purpose, Timer, replace
from streams.zones import zone_of

CANCELLED = "cancelled"
NOTICE = "notice"


class DelayCare:
    """See the module."""

    name = "delay_care"
    why: Mapping[str, str] = {
        "en": "Waiting is hard enough; nobody should also have to ask.",
        "de": "Warten ist schwer genug; niemand sollte auch noch fragen müssen.",
        "es": "Esperar ya es bastante; nadie debería tener además que preguntar.",
        "pt": "Esperar já é bastante difícil; ninguém deveria ainda ter de perguntar.",
        "fr": "Attendre est déjà assez pénible ; personne ne devrait avoir en plus à demander des nouvelles.",
    }

    answers = DelayNoticed

    def concerns(self, state: JourneyState) -> bool:
        """Whether there is a wait."""
        return bool(state.delays)

    def wants(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Want | Suppress | Retract]:
        """A letter for each wait that needs one now, and what to take back of those that are over."""
        for delay in state.delays:
            if delay.closed_at is not None:
                yield from self._take_back(state, delay, now)
            else:
                yield from self._write(state, delay, now, playbook)

    def too_late(self, state: JourneyState, event: DelayNoticed, now: datetime, playbook: Playbook) -> Want | None:
        """A wait that nobody is in any more."""
        for delay in state.delays:
            if (delay.subject_kind, delay.subject_id, delay.as_of) != (
                event.subject_kind,
                event.subject_id,
                event.occurred_at,
            ):
                continue
            if delay.closed_at is not None or delay.letters or delay.refused is not None:
                continue
            rules = playbook.delay_rules(delay.subject_kind)
            if now >= lapses_at(delay, rules):
                wait = expected_wait(delay, now)
                occasion = occasion_of(delay, wait, rules) or NOTICE
                return self._want(state, delay, now, playbook, occasion=occasion, wait=wait)
        return None

    def _write(
        self, state: JourneyState, delay: Delay, now: datetime, playbook: Playbook
    ) -> Iterator[Want | Suppress | Retract]:
        rules = playbook.delay_rules(delay.subject_kind)
        wait = expected_wait(delay, now)
        occasion = _occasion(state, delay, wait, rules, playbook)
        if occasion is None:
            if delay.letters:
                yield from self._drop(state, delay, "no_longer_news", "the customer knows what it would say")
            elif delay.refused is None or delay.held_until is not None:
                below = self._want(state, delay, now, playbook, occasion=NOTICE, wait=wait)
                minutes = int(rules.threshold.total_seconds() // 60)
                yield Suppress(
                    want=below, reason="below_threshold", explanation=f"the wait is shorter than {minutes} minutes"
                )
            return
        yield self._want(state, delay, now, playbook, occasion=occasion, wait=wait)

    def _want(
        self, state: JourneyState, delay: Delay, now: datetime, playbook: Playbook, *, occasion: str, wait: timedelta
    ) -> Want:
        rules = playbook.delay_rules(delay.subject_kind)
        journey = journey_id(delay)
        notes = tuple(note for note in state.outreach if note.journey_id == journey)
        delay = as_told(delay, notes, rules)
        template = f"{self.name}/{_TEMPLATES.get(occasion.split('-')[0], NOTICE)}"
        said = wording(
            playbook, state.profile.locale, letter=template, why=self.why, offer=offer_of(delay, wait, rules)
        )
        gesture = said.gesture
        earlier = [note for note in notes if not did_not_arrive(note)]
        variables = {
            "name": state.profile.name or "",
            "description": delay.description,
            "subject_kind": delay.subject_kind,
            "promised_at": as_text(delay.promised_at),
            "expected_at": as_text(delay.expected_at),
            "previous_expected_at": as_text(delay.told_expected_at),
            "reason": delay.reason.value,
            "wait_minutes": str(int(wait.total_seconds() // 60)),
            "gesture_title": gesture.title if gesture else "",
            "gesture_link": (gesture.link or "") if gesture else "",
        }
        return Want(
            policy=self.name,
            why=said.why,
            locale=said.locale,
            journey_id=journey,
            occasion=occasion,
            purpose=Purpose.SERVICE,
            template=template,
            variables=variables,
            gesture=gesture,
            useful_until=useful_until(delay, now, rules),
            revises=earlier[-1].outreach_id if earlier else None,
            # whoever waits at a gate looks at the clock there, wherever they live
            time_zone=delay.time_zone if delay.time_zone and zone_of(delay.time_zone) else None,
            inputs={
                "subject": f"{delay.subject_kind} {delay.subject_id}",
                "promised_at": variables["promised_at"],
                "expected_at": variables["expected_at"],
                "cancelled": str(delay.cancelled).lower(),
                "wait_minutes": variables["wait_minutes"],
                "threshold_minutes": str(int(rules.threshold.total_seconds() // 60)),
            },
        )

    def _take_back(self, state: JourneyState, delay: Delay, now: datetime) -> Iterator[Retract]:
        yield from self._drop(state, delay, "wait_over", "the wait ended while the letter was held")
        if delay.cancelled:
            return  # that it does not come stays true
        journey = journey_id(delay)
        for note in state.outreach:
            if note.journey_id == journey and note.retracted_at is None and note.useful_until > now:
                said = "the wait ended sooner than the letter said"
                yield Retract.of(note, reason="wait_over", explanation=said)

    def _drop(self, state: JourneyState, delay: Delay, reason: str, explanation: str) -> Iterator[Retract]:
        """The word on a letter that was held and will not be sent: a hold on record has to have an end on record."""
        if delay.held_until is not None and delay.refused is not None:
            journey, occasion = journey_id(delay), delay.refused.split(":")[0]
            yield Retract(
                policy=self.name,
                journey_id=journey,
                occasion=occasion,
                outreach_id=outreach_id(state.customer_id, self.name, journey, occasion),
                reason=reason,
                explanation=explanation,
            )

    def after(self, state: JourneyState, action: Action, now: datetime, playbook: Playbook) -> JourneyState:
        """Remember what the customer was told, or why they were not."""
        journey = action.journey_id if isinstance(action, Retract) else action.want.journey_id
        delay = next((item for item in state.delays if journey_id(item) == journey), None)
        if delay is None:
            return state
        rules = playbook.delay_rules(delay.subject_kind)
        match action:
            case Reach(want=want):
                meant = want.usual or want.gesture  # one that was withheld is not offered again with the next letter
                given = -1 if meant is None else rules.stage_of(meant.code)
                delay = replace(
                    delay,
                    letters=delay.letters + 1,
                    told_expected_at=delay.expected_at,
                    told_cancelled=delay.cancelled,
                    told_stage=max(delay.told_stage, given),
                    refused=None,
                    held_until=None,
                )
            case Hold(want=want, until=until, reason=reason):
                delay = replace(delay, refused=f"{want.occasion}:{reason}", held_until=until)
            case Suppress(want=want, reason=reason):
                delay = replace(delay, refused=f"{want.occasion}:{reason}", held_until=None)
            case Retract():
                delay = replace(delay, held_until=None)
        return replace(state, delays=put(state.delays, delay, journey_id))

    def is_news(self, state: JourneyState, action: Action) -> bool:
        """A refusal is news unless the last one was the same; "not now" and "not at all" are not the same."""
        if isinstance(action, Reach | Retract):
            return True
        occasion, held = action.want.occasion, isinstance(action, Hold)
        return not any(
            (delay.refused or "").startswith(f"{occasion}:")
            and same_no((delay.refused or "").removeprefix(f"{occasion}:"), action.reason)
            and (delay.held_until is not None) == held
            for delay in state.delays
            if journey_id(delay) == action.want.journey_id
        )

    def timers(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Timer]:
        """The end of a hold, the next gesture's time, and the moment after which nobody waits any more."""
        for delay in state.delays:
            if delay.closed_at is not None:
                continue
            rules = playbook.delay_rules(delay.subject_kind)
            moments = [lapses_at(delay, rules)]
            if delay.held_until is not None:
                moments.append(delay.held_until)
            elif (delay.refused or "").endswith(_PASSING):
                # the night or the cap would have outlasted the wait; if it does not, there is somebody to write to
                moments.append(useful_until(delay, now, rules))
            if not delay.cancelled:
                waits = [rules.threshold] if not delay.letters else []
                waits += [stage.wait for at, stage in enumerate(rules.stages) if at > delay.told_stage]
                moments += [_later(delay.promised_at, wait) for wait in waits]
            later = [moment for moment in moments if moment > now]
            if later:
                journey = journey_id(delay)
                yield Timer(timer_id=f"{self.name}/{journey}", due_at=min(later), policy=self.name, journey_id=journey)

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Close the waits whose end nobody reported."""
        for delay in state.delays:
            if delay.closed_at is None and now >= lapses_at(delay, playbook.delay_rules(delay.subject_kind)):
                closed = replace(delay, closed_at=now)  # what was held of it ends on record
                state = replace(state, delays=put(state.delays, closed, journey_id))
        return state


_PASSING = (":quiet_hours", ":frequency_cap", ":gave_way")

_TEMPLATES = {NOTICE: "notice", "gesture": "longer", "revision": "revised", CANCELLED: "cancelled"}


def expected_wait(delay: Delay, now: datetime) -> timedelta:
    """How long the customer waits as far as we know: as long as expected, or as long as they have waited already."""
    waited = now - delay.promised_at
    if delay.expected_at is None:
        return max(waited, timedelta(0))
    return max(delay.expected_at - delay.promised_at, waited, timedelta(0))


def _occasion(state: JourneyState, delay: Delay, wait: timedelta, rules: DelayRules, playbook: Playbook) -> str | None:
    """As :func:`occasion_of`, by what arrived. What did not is told again where there is another address for it."""
    notes = tuple(note for note in state.outreach if note.journey_id == journey_id(delay))
    told = as_told(delay, notes, rules)
    news = occasion_of(delay, wait, rules)
    if told is delay or (news is None and not may_be_told_again(notes[-1], notes, state, playbook)):
        return news
    occasion = occasion_of(told, wait, rules)
    if occasion is None or told.letters:
        return occasion
    return f"{occasion.split('-')[0]}-{delay.letters}"  # the first that arrives, not the first that was asked for


def occasion_of(delay: Delay, wait: timedelta, rules: DelayRules) -> str | None:
    """What there is to say that the customer does not know yet; None for nothing."""
    if delay.cancelled:
        return None if delay.told_cancelled else f"{CANCELLED}-{delay.letters}"
    if not delay.letters:
        return NOTICE if wait >= rules.threshold else None
    if delay.told_cancelled:
        return f"revision-{delay.letters}"  # it comes after all
    stage = rules.stage(wait)
    if stage > delay.told_stage:
        return f"gesture-{stage}"
    if delay.expected_at is not None and delay.expected_at != delay.told_expected_at:
        known = delay.told_expected_at
        if known is None or abs(delay.expected_at - known) >= rules.revise_after:
            return f"revision-{delay.letters}"
    return None


def offer_of(delay: Delay, wait: timedelta, rules: DelayRules) -> GestureOffer | None:
    """The gesture for this length of wait, where it was not given yet."""
    if delay.cancelled:
        return rules.cancelled
    stage = rules.stage(wait)
    return rules.stages[stage].gesture if stage > delay.told_stage else None


def useful_until(delay: Delay, now: datetime, rules: DelayRules) -> datetime:
    """While they wait; for what does not come, while they look for another way."""
    if delay.cancelled:
        return _later(max(delay.promised_at, delay.as_of), rules.cancelled_useful)
    if delay.expected_at is not None and delay.expected_at > now:
        return delay.expected_at
    return _later(max(delay.promised_at, now), rules.open_ended_useful)


def lapses_at(delay: Delay, rules: DelayRules) -> datetime:
    """When nobody waits any more, whether its end was reported or not."""
    return _later(max(delay.expected_at or delay.promised_at, delay.promised_at, delay.as_of), rules.lapse)


def _later(moment: datetime, by: timedelta) -> datetime:
    """``moment + by``, at most the end of the calendar: some write the year 9999 for a time that nobody knows."""
    return _END_OF_TIME if by >= _END_OF_TIME - moment else moment + by


_END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
