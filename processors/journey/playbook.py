"""What a care lead tunes: thresholds, gestures, quiet hours, caps. Read from a file by :mod:`processors.playbook`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal

from processors.language import LAST_RESORT, nearest
from streams.events import Gesture, OutreachChannel, Purpose

FOOT = "foot"
WHY = "why"


def worded(texts: Mapping[str, str], locale: str) -> str:
    """The text in the customer's locale, else in the nearest to it, else in English."""
    return texts[nearest(locale, texts) or LAST_RESORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class GestureOffer:
    """Something kind that may be given, its title by language."""

    code: str
    title: Mapping[str, str]
    cost: Decimal
    currency: str
    link: str | None = None

    def in_locale(self, locale: str) -> Gesture:
        """The gesture worded for the customer: in their locale, else in the nearest to it, else in English."""
        title = worded(self.title, locale)
        return Gesture(code=self.code, title=title, cost=self.cost, currency=self.currency, link=self.link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """From this length of wait on, this gesture."""

    wait: timedelta
    gesture: GestureOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRules:
    """Who finds out what came of a promise of which nobody says a word, and settles what nobody knows the end of."""

    team: str
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRules:
    """How delay care treats one kind of subject."""

    threshold: timedelta
    revise_after: timedelta
    stages: tuple[Stage, ...]
    cancelled: GestureOffer | None = None
    cancelled_useful: timedelta = timedelta(hours=24)
    open_ended_useful: timedelta = timedelta(hours=1)
    lapse: timedelta = timedelta(hours=48)
    update_every: timedelta | None = None
    """While a wait of unknown length lasts; None where the customer only hears what is new."""
    ended_useful: timedelta | None = None
    """How long after its end the word that a wait is over is of use; None where none is written."""
    together: timedelta | None = None
    """So long a letter waits for others that go with it as one; None where none can wait."""
    unannounced_after: timedelta | None = None
    """From a promise on, until silence counts as a delay; None where a promise is no deadline."""

    @property
    def grace(self) -> timedelta:
        """From a time that we gave, until its passing in silence is worth a word."""
        return self.unannounced_after or self.update_every or self.threshold

    def stage(self, wait: timedelta) -> int:
        """Index of the highest stage reached by a wait of that length; -1 for none."""
        return sum(1 for stage in self.stages if stage.wait <= wait) - 1

    def stage_of(self, code: str) -> int:
        """Index of the stage that gives this gesture; -1 where none does."""
        return next((at for at, stage in enumerate(self.stages) if stage.gesture.code == code), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseClock:
    """How long a contact on one channel may stay without a person's answer."""

    holding_after: timedelta
    """Then the customer is told honestly that nobody has got to it yet."""
    escalate_after: timedelta
    """Then a person is asked to step in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules:
    """How response watch sees to it that nobody is left without an answer."""

    clocks: Mapping[str, ResponseClock]
    """By channel of the contact; ``default`` serves the others."""
    holding_useful: timedelta
    escalate_to: str
    escalated_due: timedelta
    came_back_within: timedelta
    """A case that comes back this soon after its end was not solved."""

    def clock(self, channel: str) -> ResponseClock:
        """The clock of that channel."""
        return self.clocks.get(channel) or self.clocks["default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRules:
    """How what people say of us in public is answered."""

    thanks_by: str
    thanks_within: timedelta
    rescue_by: str
    rescue_within: timedelta
    wide_reach: int
    """From so many readers on, a rescue has ``wide_within``."""
    wide_within: timedelta
    escalate_to: str
    escalated_due: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRules:
    """What is a bad experience, who makes good on it, and when we ask how it was."""

    csat_at_most: int
    nps_at_most: int
    ces_at_most: int
    team: str
    within: timedelta
    follow_up_after: timedelta
    """From the recovery on, or from the feedback where nobody reports one; asked once."""
    follow_up_every: timedelta
    """Nobody is asked more often, however much went wrong."""
    share_with: str
    """The team that passes great stories on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRules:
    """What we do for somebody who could not have what they asked for."""

    purpose: Purpose
    coupon: GestureOffer
    useful: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class CaringRules:
    """The share of contacts that goes to the team with all the time in the world."""

    share: float
    seed: str
    team: str
    useful: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most so much, in the playbook's currency, for one customer in any window of that length."""

    most: Decimal
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGestures:
    """What an employee may give without asking anybody."""

    budgets: tuple[Budget, ...]
    escalate_to: str
    escalated_due: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of doing it; what it does not mention is done as ever."""

    name: str
    share: float
    gestures: Mapping[str, GestureOffer] = field(default_factory=dict)
    """What is given instead, by the code of the usual gesture."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """What is written instead, by the name of the usual letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Several ways of doing one policy side by side. ``coverage``: the share of customers who take part."""

    key: str
    policy: str
    seed: str
    arms: tuple[Arm, ...]
    coverage: float = 1.0
    hash_version: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The share of customers whom a policy (or, for ``global``, none of them) writes to, to see what it is worth."""

    share: float
    seed: str


DISTURBING = frozenset({OutreachChannel.SMS, OutreachChannel.PUSH})
"""The channels that wake people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When nobody is disturbed, in the customer's own day; may pass midnight."""

    begin: time
    end: time
    channels: frozenset[OutreachChannel] = DISTURBING
    """Those that wait for the morning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCap:
    """At most so many requests of a purpose in any window of that length; on one channel, or on all together."""

    purpose: Purpose
    most: int
    window: timedelta
    channel: OutreachChannel | None = None


GLOBAL = "global"
"""The holdout that is out of every policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """All of it. ``version`` is derived from the content. A policy without rules is switched off."""

    version: str
    delays: Mapping[str, DelayRules]
    quiet_hours: QuietHours | None
    caps: tuple[FrequencyCap, ...]
    channel_order: tuple[OutreachChannel, ...]
    default_time_zone: str
    default_locale: str
    currency: str = "USD"
    team_zones: Mapping[str, str] = field(default_factory=dict)
    """By team, the zone by whose clocks it works; the default zone for any other."""
    priority: tuple[str, ...] = ()
    """Policies in the order in which they may take what only one of them can have; the others after them."""
    response: ResponseRules | None = None
    mentions: MentionRules | None = None
    recovery: RecoveryRules | None = None
    stock: StockRules | None = None
    caring: CaringRules | None = None
    agent_gestures: AgentGestures | None = None
    promises: PromiseRules | None = None
    gesture_budgets: tuple[Budget, ...] = ()
    holdouts: Mapping[str, Holdout] = field(default_factory=dict)
    """By policy, or GLOBAL."""
    experiments: tuple[Experiment, ...] = ()
    texts: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Letter, locale, part: what is written instead of the package's own words. FOOT is what stands under every letter,
    the parts of WHY are policies."""
    languages: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By letter, and FOOT: the tags of all languages it is written in, by us or in ``texts``."""

    def delay_rules(self, subject_kind: str) -> DelayRules:
        """The rules of this kind of subject, or those of ``default``."""
        return self.delays.get(subject_kind) or self.delays["default"]

    def offers(self) -> Iterator[GestureOffer]:
        """Every gesture that may be given, by whatever policy or experiment."""
        for rules in self.delays.values():
            yield from (stage.gesture for stage in rules.stages)
            if rules.cancelled is not None:
                yield rules.cancelled
        if self.stock is not None:
            yield self.stock.coupon
        for experiment in self.experiments:
            for arm in experiment.arms:
                yield from arm.gestures.values()

    def own_whys(self, policy: str) -> Mapping[str, str]:
        """By language, why the policy serves, as far as the playbook has words of its own for it."""
        return {locale: whys[policy] for locale, whys in self.texts.get(WHY, {}).items() if policy in whys}
