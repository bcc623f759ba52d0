"""The model of a whole playbook file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, create_model, field_validator, model_validator

from processors.journey.playbook import DISTURBING, FrequencyCap, Playbook, QuietHours, Rules, by_type
from processors.journey.state import KEEP_OUTREACH
from processors.playbook.faults import refuse
from processors.playbook.languages import languages_of
from processors.playbook.sections import Budgets, Section, budgets, twice
from processors.playbook.trials import Experiments, HoldoutSection
from processors.playbook.values import (
    Count,
    Currency,
    CustomersChannel,
    HeldOut,
    Locale,
    Policy,
    Text,
    TextsOf,
    TimeOfDay,
    TimeZone,
    Window,
    Words,
)
from processors.policies.registry import installed
from streams.errors import SettingsError
from streams.events import Purpose

Texts = dict[TextsOf, dict[str, dict[str, Words]]]


def _once(items: list[str]) -> list[str]:
    refuse(twice(items))
    return items


class QuietHoursSection(Section):
    """The quiet hours, and the channels they apply to."""

    begin: TimeOfDay
    end: TimeOfDay
    channels: Annotated[list[CustomersChannel], AfterValidator(_once), Field(min_length=1)] = Field(
        default=sorted(DISTURBING)
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.begin == self.end:
            refuse([(("end",), "is the same as begin; leave quiet_hours out if there are none")])
        return self

    def hours(self) -> QuietHours:
        """Return the quiet hours for the guard."""
        return QuietHours(begin=self.begin, end=self.end, channels=frozenset(self.channels))


class CapSection(Section):
    """A frequency cap."""

    purpose: Purpose
    channel: CustomersChannel | None = None
    most: Annotated[Count, Field(ge=1, le=KEEP_OUTREACH)]
    window: Window


def _caps(caps: list[CapSection]) -> list[CapSection]:
    refuse(twice((cap.purpose, cap.channel, cap.window) for cap in caps))
    return caps


class PlaybookFile(Section):
    """The whole file without the sections of policies, which :func:`whole_file` adds."""

    quiet_hours: QuietHoursSection | None = None
    caps: Annotated[list[CapSection], AfterValidator(_caps)] = Field(default=[])
    gesture_budgets: Budgets = Field(default=[])
    holdouts: dict[HeldOut, HoldoutSection] = Field(default={})
    experiments: Experiments = Field(default=[])
    texts: Texts = Field(default={})
    priority: Annotated[list[Policy], AfterValidator(_once)] = Field(default=[])
    channel_order: Annotated[list[CustomersChannel], AfterValidator(_once), Field(min_length=1)]
    default_time_zone: TimeZone
    team_time_zones: dict[Text, TimeZone] = Field(default={})
    default_locale: Locale
    currency: Currency

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        """Reject a name without a value, which is probably an oversight; to set nothing, the name is left out."""
        if value is None:
            raise ValueError("is empty; leave it out if there is none")
        return value

    def _rules(self) -> Iterator[Rules]:
        for plugin in installed():
            section = getattr(self, plugin.name)
            if section is not None:
                yield plugin.made(section, self.currency)

    def playbook(self, version: str) -> Playbook:
        """Return the playbook for the policies."""
        money = self.currency
        return Playbook(
            version=version,
            rules=by_type(*self._rules()),
            policies=tuple(plugin.policy for plugin in installed()),
            quiet_hours=self.quiet_hours.hours() if self.quiet_hours else None,
            caps=tuple(FrequencyCap(**dict(cap)) for cap in self.caps),
            gesture_budgets=budgets(self.gesture_budgets),
            holdouts={policy: holdout.rules() for policy, holdout in self.holdouts.items()},
            experiments=tuple(experiment.rules(money) for experiment in self.experiments),
            texts=self.texts,
            languages=languages_of(self.texts),
            priority=tuple(self.priority),
            channel_order=tuple(self.channel_order),
            default_time_zone=self.default_time_zone,
            team_zones=self.team_time_zones,
            default_locale=self.default_locale,
            currency=money,
        )


@cache
def whole_file() -> type[PlaybookFile]:
    """Return the model of a file: what applies to all policies, and a section for each installed policy. A section that
    is left out switches its policy off. Raises SettingsError if a policy cannot be loaded."""
    sections: dict[str, Any] = {}
    for plugin in installed():
        if plugin.name in PlaybookFile.model_fields:
            raise SettingsError(f"a policy cannot be called {plugin.name}: a playbook has something else of that name")
        sections[plugin.name] = (plugin.section, ...) if plugin.required else (plugin.section | None, None)
    return create_model("WholeFile", __base__=PlaybookFile, **sections)
