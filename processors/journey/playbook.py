"""What a care lead tunes: thresholds, gestures, quiet hours, caps. :mod:`processors.playbook` reads it from a file."""

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
    """Return the text in the customer's locale, else in the nearest one, else in English."""
    return texts[nearest(locale, texts) or LAST_RESORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class GestureOffer:
    """A gesture that may be given, with its title by language."""

    code: str
    title: Mapping[str, str]
    cost: Decimal
    currency: str
    link: str | None = None

    def in_locale(self, locale: str) -> Gesture:
        """Return the gesture with its title in the customer's locale, else in the nearest one, else in English."""
        title = worded(self.title, locale)
        return Gesture(code=self.code, title=title, cost=self.cost, currency=self.currency, link=self.link)


class Rules:
    """The rules of one policy. Each policy has a frozen dataclass of this kind, and looks its rules up by that type."""

    __slots__ = ()

    def offers(self) -> Iterable[GestureOffer]:
        """Return every gesture that these rules may give."""
        return ()

    def letters_are(self) -> Purpose:
        """Return the purpose of the policy's letters: service or marketing."""
        return Purpose.SERVICE


R = TypeVar("R", bound=Rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit on the cost of gestures, in the playbook's currency, for one customer in any window of that length."""

    most: Decimal
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant of an experiment; what it does not mention stays as usual."""

    name: str
    share: float
    gestures: Mapping[str, GestureOffer] = field(default_factory=dict)
    """The gesture to give instead, by the code of the usual one."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """The letter to send instead, by the name of the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Several variants of one policy side by side. ``coverage``: the share of customers who take part."""

    key: str
    policy: str
    seed: str
    arms: tuple[Arm, ...]
    coverage: float = 1.0
    hash_version: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The share of customers to whom a policy (or, for ``global``, every policy) sends nothing, to measure the
    effect."""

    share: float
    seed: str


DISTURBING = frozenset({OutreachChannel.SMS, OutreachChannel.PUSH})
"""The channels that disturb at night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When no customer is disturbed, in the customer's own time zone; may span midnight."""

    begin: time
    end: time
    channels: frozenset[OutreachChannel] = DISTURBING
    """The channels that wait for the morning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCap:
    """How many requests of a purpose are allowed in any window of that length, on one channel or on all together."""

    purpose: Purpose
    most: int
    window: timedelta
    channel: OutreachChannel | None = None


def by_type(*rules: Rules) -> Mapping[type[Rules], Rules]:
    """Return the rules by their type, as a playbook keeps them."""
    return {type(one): one for one in rules}


GLOBAL = "global"
"""The name of the holdout from all policies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """The whole playbook. ``version`` is derived from the content. A policy without rules is switched off."""

    version: str
    rules: Mapping[type[Rules], Rules]
    """The rules of every policy that is switched on, by their type; read with :meth:`rules_of`."""
    policies: tuple[Policy, ...]
    """All installed policies, switched on or not, in the order of ``priority``."""
    quiet_hours: QuietHours | None
    caps: tuple[FrequencyCap, ...]
    channel_order: tuple[OutreachChannel, ...]
    default_time_zone: str
    default_locale: str
    currency: str = "USD"
    team_zones: Mapping[str, str] = field(default_factory=dict)
    """Time zone by team; the default zone for any other team."""
    priority: tuple[str, ...] = ()
    """Policies in the order in which they get what only one of them can have; the others come after them."""
    gesture_budgets: tuple[Budget, ...] = ()
    holdouts: Mapping[str, Holdout] = field(default_factory=dict)
    """By policy, or GLOBAL."""
    experiments: tuple[Experiment, ...] = ()
    texts: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Texts that replace the package's own, by letter, locale and part. FOOT is the footer of every letter; the parts
    of WHY are policies."""
    languages: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By letter, and FOOT: the tags of all languages that it exists in, from us or in ``texts``."""

    def __post_init__(self) -> None:
        """Sort the policies by priority."""
        named = {name: at for at, name in enumerate(self.priority)}
        ordered = sorted(self.policies, key=lambda policy: named.get(policy.name, len(named)))
        object.__setattr__(self, "policies", tuple(ordered))

    def rules_of(self, kind: type[R]) -> R | None:
        """Return the rules of that type; None if their policy is switched off."""
        return self.rules.get(kind)  # type: ignore[return-value]

    def with_rules(self, *rules: Rules) -> Self:
        """Return a copy in which these rules replace those of the same types."""
        return replace(self, rules={**self.rules, **by_type(*rules)})

    def without(self, *kinds: type[Rules]) -> Self:
        """Return a copy in which the policies with rules of these types are switched off."""
        return replace(self, rules={kind: rules for kind, rules in self.rules.items() if kind not in kinds})

    def offers(self) -> Iterator[GestureOffer]:
        """Yield every gesture that any policy or experiment may give."""
        for rules in self.rules.values():
            yield from rules.offers()
        for experiment in self.experiments:
            for arm in experiment.arms:
                yield from arm.gestures.values()

    def own_whys(self, policy: str) -> Mapping[str, str]:
        """Return the playbook's own texts on why the policy serves, by language."""
        return {locale: whys[policy] for locale, whys in self.texts.get(WHY, {}).items() if policy in whys}
