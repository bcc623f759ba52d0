"""Runs one customer's journey event by event, with time as an argument."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

from processors.journey.core import FOLDED, Advance, advance, wake
from processors.journey.failures import POLICY_FAILED
from processors.journey.playbook import Playbook
from processors.journey.policy import Policy
from processors.journey.recording import Output
from processors.letters.coupons import Coupons, with_code
from processors.letters.sources import Texts
from processors.letters.templates import Templates
from processors.letters.wording import Written
from processors.testing.customer import TODAY
from processors.testing.lines import told
from processors.testing.playbooks import playbook as packaged
from processors.testing.playbooks import with_letters
from processors.testing.unexpected import unexpected, unexpected_letter
from streams.events import Decision, JourneyState, OutreachChannel, OutreachRequested, OutreachRetracted, Touchpoint
from streams.order import due_alone

UNSUBSCRIBE = "https://care.example/unsubscribe/example"
"""The unsubscribe link in the letters of a scenario."""

_COUPONS = Coupons(secret="codes of the test kit, of use to nobody 7f3a91c05be2d846")


class Scenario:
    """One customer's journey. :meth:`when` applies an event, and :meth:`then` checks what was decided.

    Time passes as in the processor: a deadline fires at its own time, before any event of that time or later.
    """

    def __init__(
        self,
        playbook: Playbook | None = None,
        *,
        policies: Iterable[Policy] | None = None,
        letters: Texts | None = None,
        policies_may_fail: bool = False,
    ) -> None:
        """``playbook``: the packaged one if None. ``policies``: only these are asked, in this order. ``letters``: the
        letters of these policies, by name, language and part.

        A policy that raises fails the test, unless ``policies_may_fail``: then the failure is a decision, as in the
        journeys role. Raises ValueError for an invalid letter.
        """
        self.state: JourneyState | None = None
        """The state as it would be on the topic; None for an unknown customer."""
        self.now = TODAY - timedelta(days=365)
        """The time of the latest step, UTC."""
        self.outputs: list[Output] = []
        """All outputs of the latest ``when``, including those of deadlines before it."""
        self.everything: list[Output] = []
        """All outputs since the beginning."""
        self.duplicate = False
        """Whether the latest event was a duplicate."""
        self.handling = FOLDED
        """How the latest event was handled: ``folded``, ``duplicate`` or ``passed_over``."""
        playbook = playbook or packaged()
        if letters is not None:
            playbook = with_letters(playbook, letters)
        if policies is not None:
            playbook = dataclasses.replace(playbook, policies=tuple(policies), priority=())
        self.playbook = playbook
        """The playbook in use, with the given letters and policies."""
        self.cause = "nothing has happened yet"
        """The latest ``when``, in words."""
        self._policies_may_fail = policies_may_fail

    def after(self, *facts: Touchpoint) -> Self:
        """Apply these events, each arriving when it happened, without comparing their outputs."""
        __tracebackhide__ = True
        for fact in facts:
            self.when(fact)
        self.outputs = []
        return self

    def when(self, fact: Touchpoint, now: datetime | None = None) -> Self:
        """Apply an event that arrives at ``now``, or when it happened. A late event does not move time back."""
        __tracebackhide__ = True
        if self.state is not None and fact.customer_id != self.state.customer_id:
            about, other = self.state.customer_id, fact.customer_id
            raise ValueError(f"the scenario is about {about!r} and the fact about {other!r}")
        self.outputs = []
        now = max(self.now, now or fact.occurred_at)
        self.cause = f"{type(fact).__name__} arrived"
        self._pass(now)
        self.now = now
        step = advance(self.state, fact, now=now, playbook=self.playbook)
        self.duplicate, self.handling = step.duplicate, step.handling
        assert not (step.unchanged and step.outputs), "what changes nothing leads to nothing"
        self._take(step)
        return self

    def when_time_passes_to(self, moment: datetime) -> Self:
        """Let time pass up to and including that moment."""
        __tracebackhide__ = True
        self.outputs = []
        self.cause = f"time passed to {moment:%d %b %H:%M}"
        self._pass(moment)
        self.now = max(self.now, moment)
        return self

    def then(self, *lines: str) -> Self:
        """Check that exactly this was decided, in this order; :func:`told` lists the possible lines.

        Raises AssertionError, which says what was decided instead, and why.
        """
        __tracebackhide__ = True
        if told(self.outputs) != list(lines):
            raise AssertionError(unexpected(self, lines))
        return self

    def then_nothing(self) -> Self:
        """Check that nothing was sent and nothing recorded."""
        __tracebackhide__ = True
        return self.then()

    def then_the_letter_says(self, *words: str) -> Self:
        """Check that the latest letter contains all of these words, each in its subject or its text.

        Raises AssertionError with the letter as the customer reads it.
        """
        __tracebackhide__ = True
        if (problem := unexpected_letter(self.letters, words)) is not None:
            raise AssertionError(problem)
        return self

    @property
    def known(self) -> JourneyState:
        """The state of a known customer."""
        assert self.state is not None, "nothing is known of the customer"
        return self.state

    @property
    def requests(self) -> list[OutreachRequested]:
        """All requested letters and tasks."""
        return [one for one in self.everything if isinstance(one, OutreachRequested)]

    @property
    def decisions(self) -> list[Decision]:
        """All decisions."""
        return [one for one in self.everything if isinstance(one, Decision)]

    @property
    def letters(self) -> list[Written]:
        """All letters as the customer reads them, and tasks as staff do, including those that were retracted since."""
        return [self._written(request) for request in self.requests]

    @property
    def letter(self) -> Written:
        """The latest of the letters."""
        assert self.requests, "nothing was requested"
        return self._written(self.requests[-1])

    def _written(self, request: OutreachRequested) -> Written:
        channel = request.addresses[0].channel
        link = None if channel is OutreachChannel.AGENT_TASK else UNSUBSCRIBE
        return self._templates.render(with_code(request, _COUPONS), channel=channel, unsubscribe=link)

    @cached_property
    def _templates(self) -> Templates:
        return Templates.of(self.playbook)

    def _pass(self, until: datetime) -> None:
        __tracebackhide__ = True
        for due in due_alone(lambda: self.state, until):
            step = wake(self.known, now=due, playbook=self.playbook)
            assert step.state is None or step.state.wake_at is None or step.state.wake_at > due, "later than now"
            self.now = due
            self._take(step)

    def _take(self, step: Advance) -> None:
        __tracebackhide__ = True
        decided = {one.decision_id: one for one in step.outputs if isinstance(one, Decision)}
        assert len(decided) == sum(1 for one in step.outputs if isinstance(one, Decision)), "one id, one decision"
        for one in step.outputs:
            if isinstance(one, OutreachRequested | OutreachRetracted):
                assert one.decision_id in decided, "no letter and no retraction without a decision on record"
        self.state = step.state
        self.outputs += step.outputs
        self.everything += step.outputs
        for decision in decided.values():
            if decision.reason == POLICY_FAILED and not self._policies_may_fail:
                raise AssertionError(f"{decision.policy}: {decision.explanation}")


def given(
    *facts: Touchpoint,
    playbook: Playbook | None = None,
    policies: Iterable[Policy] | None = None,
    letters: Texts | None = None,
    policies_may_fail: bool = False,
) -> Scenario:
    """Return the scenario of a customer after these events, each arriving when it happened; the rest as for
    :class:`Scenario`."""
    __tracebackhide__ = True
    scenario = Scenario(playbook, policies=policies, letters=letters, policies_may_fail=policies_may_fail)
    return scenario.after(*facts)
