"""One customer's journey, fact by fact, with time as an argument."""

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
"""The link in the foot of the letters that a scenario shows."""

_COUPONS = Coupons(secret="codes of the test kit, of use to nobody 7f3a91c05be2d846")


class Scenario:
    """One customer's journey, as far as it has come. Facts arrive with :meth:`when`, and :meth:`then` says what was
    decided.

    Time passes as it does in the processor: a deadline fires at its own moment, before any fact of that moment or
    later.
    """

    def __init__(
        self,
        playbook: Playbook | None = None,
        *,
        policies: Iterable[Policy] | None = None,
        letters: Texts | None = None,
        policies_may_fail: bool = False,
    ) -> None:
        """``playbook``: the one that comes with Careline if None. ``policies``: only these are asked, in their order.
        ``letters``: those that these policies bring, by name, language and part.

        A policy that raises fails the test, unless ``policies_may_fail``: then the failure is a decision, as it is in
        the journeys role. Raises ValueError for a letter that could not be written.
        """
        self.state: JourneyState | None = None
        """The state as it is on the topic; None for somebody of whom nothing is known."""
        self.now = TODAY - timedelta(days=365)
        """The moment of the latest step, UTC."""
        self.outputs: list[Output] = []
        """Everything that the latest ``when`` led to, deadlines on the way included."""
        self.everything: list[Output] = []
        """Everything since the beginning."""
        self.duplicate = False
        """Whether the latest fact was one that is remembered."""
        self.handling = FOLDED
        """What became of the latest fact: ``folded``, ``duplicate`` or ``passed_over``."""
        playbook = playbook or packaged()
        if letters is not None:
            playbook = with_letters(playbook, letters)
        if policies is not None:
            playbook = dataclasses.replace(playbook, policies=tuple(policies), priority=())
        self.playbook = playbook
        """The playbook that decides, with the given letters and policies."""
        self.cause = "nothing has happened yet"
        """What the latest ``when`` was, in words."""
        self._policies_may_fail = policies_may_fail

    def after(self, *facts: Touchpoint) -> Self:
        """The customer lived through these facts, each arriving as it happened; what came of them is not compared."""
        __tracebackhide__ = True
        for fact in facts:
            self.when(fact)
        self.outputs = []
        return self

    def when(self, fact: Touchpoint, now: datetime | None = None) -> Self:
        """The fact arrives, at ``now`` or as soon as it happened. Time does not go back for one that is late."""
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
        """Nothing happens but that time passes, up to the moment and through it."""
        __tracebackhide__ = True
        self.outputs = []
        self.cause = f"time passed to {moment:%d %b %H:%M}"
        self._pass(moment)
        self.now = max(self.now, moment)
        return self

    def then(self, *lines: str) -> Self:
        """Exactly this was decided, in this order; :func:`told` lists what a line can be.

        Raises AssertionError, which says what was decided instead, and why.
        """
        __tracebackhide__ = True
        if told(self.outputs) != list(lines):
            raise AssertionError(unexpected(self, lines))
        return self

    def then_nothing(self) -> Self:
        """Nobody hears anything, and nothing was worth recording."""
        __tracebackhide__ = True
        return self.then()

    def then_the_letter_says(self, *words: str) -> Self:
        """The latest letter has all of these words, each in its subject or its text.

        Raises AssertionError with the letter as the customer reads it.
        """
        __tracebackhide__ = True
        if (problem := unexpected_letter(self.letters, words)) is not None:
            raise AssertionError(problem)
        return self

    @property
    def known(self) -> JourneyState:
        """The state of a customer of whom something is known."""
        assert self.state is not None, "nothing is known of the customer"
        return self.state

    @property
    def requests(self) -> list[OutreachRequested]:
        """Every letter and every task requested so far."""
        return [one for one in self.everything if isinstance(one, OutreachRequested)]

    @property
    def decisions(self) -> list[Decision]:
        """Every decision so far."""
        return [one for one in self.everything if isinstance(one, Decision)]

    @property
    def letters(self) -> list[Written]:
        """Every letter so far as its customer reads it, and every task as staff do; those retracted since included."""
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
    """A customer who lived through these facts, each arriving as it happened; the rest as for :class:`Scenario`."""
    __tracebackhide__ = True
    scenario = Scenario(playbook, policies=policies, letters=letters, policies_may_fail=policies_may_fail)
    return scenario.after(*facts)
