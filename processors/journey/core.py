"""One step of a customer's journey: fold the fact into the state, ask the policies, let the guard check their wants,
and record the decisions.

The journeys role, the replay and the tests all run this code, so that the same input gives the same decisions.
"""

from __future__ import annotations

from datetime import datetime

from processors.journey.actions import Action, Expose, Recall
from processors.journey.asking import concerned, decided, informed, lapsed, timers, too_late
from processors.journey.erasure import OUTCOMES, changes_nothing, erased, last_words, mark_ends
from processors.journey.evolve import evolve
from processors.journey.failures import Failure, PolicyFailedError, marked, refusal
from processors.journey.guard import withdrawn
from processors.journey.playbook import Playbook
from processors.journey.recording import Output, enact
from processors.journey.sharing import shared
from processors.journey.state import begin, digest, prune, remembered, seen
from streams.events import (
    ConsentChanged,
    CustomerErased,
    Engagement,
    FailureReason,
    JourneyState,
    OutreachEngaged,
    OutreachFailed,
    ProfilesMerged,
    Timer,
    Touchpoint,
    Value,
    replace,
)

FOLDED, DUPLICATE, PASSED_OVER = "folded", "duplicate", "passed_over"


class Advance(Value, frozen=True, kw_only=True, gc=False):
    """The result of a step. ``state`` is None if nothing is kept of the customer.

    ``handling``: FOLDED; DUPLICATE, for an event id that is remembered; PASSED_OVER, for a fact from before the
    customer's erasure, or an outcome of an unknown customer. DUPLICATE and PASSED_OVER change nothing.
    """

    state: JourneyState | None
    outputs: tuple[Output, ...] = ()
    handling: str = FOLDED

    @property
    def duplicate(self) -> bool:
        """Whether the event id is among the latest remembered."""
        return self.handling == DUPLICATE

    @property
    def unchanged(self) -> bool:
        """Whether the step left the state unchanged."""
        return self.handling != FOLDED


def advance(state: JourneyState | None, event: Touchpoint, *, now: datetime, playbook: Playbook) -> Advance:
    """Return the step that a fact causes. A fact whose id is among the latest remembered changes nothing, nor does one
    from before the customer's erasure."""
    mark = digest(event.event_id)
    if state is not None and seen(state.recent_events, mark):
        return Advance(state=state, handling=DUPLICATE)
    if changes_nothing(state, event):
        return Advance(state=state, handling=PASSED_OVER)
    if isinstance(event, CustomerErased):
        outputs = () if state is None else last_words(state, event, now, playbook)
        return Advance(state=erased(state, event, now=now), outputs=outputs)
    if state is None:
        state = begin(event.customer_id, now)
    recent = remembered(state.recent_events, mark)
    folded = evolve(state, event, now)
    if isinstance(event, OUTCOMES):
        folded = replace(folded, recent_events=recent)
        if state.is_erased:  # an opt-out from an earlier letter: it is kept, and the customer stays erased
            return Advance(state=replace(folded, revision=state.revision + 1, updated_at=now))
        missed = isinstance(event, OutreachFailed) and event.reason is not FailureReason.RETRACTED
        if folded.suppressions == state.suppressions and not missed and not _retracted_by_opt_out(folded, event, now):
            # the timing of a provider's outcomes must not influence when, or whether, anything else is decided
            return Advance(state=replace(folded, revision=state.revision + 1, updated_at=now))
    else:
        latest = folded.last_touchpoint_at
        if latest is None or latest < event.occurred_at:
            latest = event.occurred_at
        folded = replace(folded, recent_events=recent, touchpoints=folded.touchpoints + 1, last_touchpoint_at=latest)
    step = _settle(folded, now=now, playbook=playbook, trigger=event)
    told = () if step.state is None else tuple(shared(state, step.state, event, now))
    return replace(step, outputs=(*step.outputs, *told)) if told else step


def wake(state: JourneyState, *, now: datetime, playbook: Playbook) -> Advance:
    """Return the step that a due timer causes, without a fact."""
    if state.is_erased:
        return Advance(state=mark_ends(state, now))
    return _settle(state, now=now, playbook=playbook, trigger=None)


def decide(state: JourneyState, *, now: datetime, playbook: Playbook) -> tuple[Action | Expose, ...]:
    """Return the decisions that are due now, in order of the policies, each checked by the guard; () for none."""
    failures: tuple[Failure, ...] = ()
    while True:
        try:
            _, news = decided(state, concerned(state, failures, playbook), now, playbook, None)
            return tuple(one.action for one in news)
        except PolicyFailedError as why:
            failures = (*failures, why.failure)


def _settle(state: JourneyState, *, now: datetime, playbook: Playbook, trigger: Touchpoint | None) -> Advance:
    """Decide, and start over without each policy that fails, so that the others decide as if it had returned
    nothing."""
    failures: tuple[Failure, ...] = ()
    while True:
        try:
            return _settled(state, failures, now=now, playbook=playbook, trigger=trigger)
        except PolicyFailedError as why:
            failures = (*failures, why.failure)


def _settled(
    state: JourneyState,
    failures: tuple[Failure, ...],
    *,
    now: datetime,
    playbook: Playbook,
    trigger: Touchpoint | None,
) -> Advance:
    policies = concerned(state, failures, playbook)
    outputs: list[Output] = []
    for recall in _retracted_by_opt_out(state, trigger, now):
        state, said = enact(state, recall, now=now, playbook=playbook, trigger=trigger)
        outputs += said
        state = informed(state, recall, failures, now, playbook)
    state, late = too_late(state, policies, trigger, now, playbook)
    outputs += late
    before, state = state, lapsed(state, policies, now, playbook)
    if state is not before:  # a wait may have begun, or a hold may have lost its reason
        policies = concerned(state, failures, playbook)
    state, news = decided(state, policies, now, playbook, trigger)
    for one in news:
        outputs += one.outputs
    state, unknown = marked(state, failures, now)
    outputs += [refusal(state, one, now=now, playbook=playbook, trigger=trigger) for one in unknown]
    if outputs and state.playbook_version != playbook.version:
        state = replace(state, playbook_version=playbook.version)
    due = timers(state, policies, failures, now, playbook)
    state = prune(state, now)
    return Advance(state=_stamped(state, due, now), outputs=tuple(outputs))


def _retracted_by_opt_out(state: JourneyState, trigger: Touchpoint | None, now: datetime) -> tuple[Recall, ...]:
    """Return the recalls that an opt-out causes: it takes effect immediately, also on letters that were already
    requested."""
    match trigger:
        case ConsentChanged() | ProfilesMerged(told=True):
            return tuple(withdrawn(state, now, but=None))
        case OutreachEngaged(kind=Engagement.UNSUBSCRIBED | Engagement.COMPLAINED, outreach_id=arrived):
            return tuple(withdrawn(state, now, but=arrived))
        case _:
            return ()


def _stamped(state: JourneyState, timers: tuple[Timer, ...], now: datetime) -> JourneyState:
    return replace(
        state,
        timers=state.timers if timers == state.timers else timers,  # the same object is not encoded again
        wake_at=timers[0].due_at if timers else None,
        revision=state.revision + 1,
        updated_at=now,
    )
