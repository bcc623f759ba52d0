"""What a care lead tunes: thresholds, gestures, quiet hours, caps. Read from a file by :mod:`processors.playbook`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self, TypeVar

from processors.language import LAST_RESORT, nearest
from streams.events import Gesture, OutreachChannel, Purpose

if TYPE_CHECKING:
    from processors.journey.policy import Policy

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


class Rules:
    """What one policy goes by. Each policy has a frozen dataclass of this kind, and finds its rules under that type."""

    __slots__ = ()

    def offers(self) -> Iterable[GestureOffer]:
        """Every gesture that may be given by these rules."""
        return ()

    def letters_are(self) -> Purpose:
        """What the policy's letters to customers are: service, or offers."""
        return Purpose.SERVICE


R = TypeVar("R", bound=Rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most so much, in the playbook's currency, for one customer in any window of that length."""

    most: Decimal
    window: timedelta


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


def by_type(*rules: Rules) -> Mapping[type[Rules], Rules]:
    """The rules as a playbook keeps them."""
    return {type(one): one for one in rules}


GLOBAL = "global"
"""The holdout that is out of every policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """All of it. ``version`` is derived from the content. A policy without rules is switched off."""

    version: str
    rules: Mapping[type[Rules], Rules]
    """By their own type, those of every policy that is switched on; read with :meth:`rules_of`."""
    policies: tuple[Policy, ...]
    """Every policy that is installed, switched on or not; in the order of ``priority``."""
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
    gesture_budgets: tuple[Budget, ...] = ()
    holdouts: Mapping[str, Holdout] = field(default_factory=dict)
    """By policy, or GLOBAL."""
    experiments: tuple[Experiment, ...] = ()
    texts: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Letter, locale, part: what is written instead of the package's own words. FOOT is what stands under every letter,
    the parts of WHY are policies."""
    languages: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By letter, and FOOT: the tags of all languages it is written in, by us or in ``texts``."""

    def __post_init__(self) -> None:
        """Put the policies in order."""
        named = {name: at for at, name in enumerate(self.priority)}
        ordered = sorted(self.policies, key=lambda policy: named.get(policy.name, len(named)))
        object.__setattr__(self, "policies", tuple(ordered))

    def rules_of(self, kind: type[R]) -> R | None:
        """The rules of that type; None where the policy that goes by them is switched off."""
        return self.rules.get(kind)  # type: ignore[return-value]

    def with_rules(self, *rules: Rules) -> Self:
        """The same with these rules, each in place of those of its type."""
        return replace(self, rules={**self.rules, **by_type(*rules)})

    def without(self, *kinds: type[Rules]) -> Self:
        """The same with the policies switched off that go by rules of these types."""
        return replace(self, rules={kind: rules for kind, rules in self.rules.items() if kind not in kinds})

    def offers(self) -> Iterator[GestureOffer]:
        """Every gesture that may be given, by whatever policy or experiment."""
        for rules in self.rules.values():
            yield from rules.offers()
        for experiment in self.experiments:
            for arm in experiment.arms:
                yield from arm.gestures.values()

    def own_whys(self, policy: str) -> Mapping[str, str]:
        """By language, why the policy serves, as far as the playbook has words of its own for it."""
        return {locale: whys[policy] for locale, whys in self.texts.get(WHY, {}).items() if policy in whys}
