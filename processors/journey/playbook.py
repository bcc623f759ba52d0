"""What a care lead tunes: thresholds, gestures, quiet hours, caps. Read from a file by :mod:`processors.playbook`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal

from streams.events import Gesture, OutreachChannel, Purpose


def worded(texts: Mapping[str, str], locale: str) -> str:
    """The text in the customer's locale, else in its language, else in English."""
    return texts.get(locale) or texts.get(locale.split("-")[0]) or texts["en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GestureOffer:
    """Something kind that may be given, its title by language."""

    code: str
    title: Mapping[str, str]
    cost: Decimal
    currency: str
    link: str | None = None

    def in_locale(self, locale: str) -> Gesture:
        """The gesture worded for the customer: exact locale, then its language, then English."""
        title = worded(self.title, locale)
        return Gesture(code=self.code, title=title, cost=self.cost, currency=self.currency, link=self.link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """From this length of wait on, this gesture."""

    wait: timedelta
    gesture: GestureOffer


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

    def stage(self, wait: timedelta) -> int:
        """Index of the highest stage reached by a wait of that length; -1 for none."""
        return sum(1 for stage in self.stages if stage.wait <= wait) - 1

    def stage_of(self, code: str) -> int:
        """Index of the stage that gives this gesture; -1 where none does."""
        return next((at for at, stage in enumerate(self.stages) if stage.gesture.code == code), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When nobody is written to, in the customer's own day; may pass midnight."""

    begin: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCap:
    """At most so many requests of a purpose in any window of that length."""

    purpose: Purpose
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """All of it. ``version`` is derived from the content."""

    version: str
    delays: Mapping[str, DelayRules]
    quiet_hours: QuietHours | None
    caps: tuple[FrequencyCap, ...]
    channel_order: tuple[OutreachChannel, ...]
    default_time_zone: str
    default_locale: str

    def delay_rules(self, subject_kind: str) -> DelayRules:
        """The rules of this kind of subject, or those of ``default``."""
        return self.delays.get(subject_kind) or self.delays["default"]
