"""Reads a playbook file: one validated YAML, refused whole when anything in it is wrong."""

from __future__ import annotations

import hashlib
import re
from datetime import time, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from yaml.constructor import ConstructorError

from processors.journey.playbook import DelayRules, FrequencyCap, GestureOffer, Playbook, QuietHours, Stage
from processors.journey.state import KEEP_CLOSED, KEEP_OUTREACH
from streams.errors import SettingsError
from streams.events import OutreachChannel, Purpose

_LONGEST = timedelta(days=365)
_DIGITS = 9
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: Any) -> Any:
    if not isinstance(value, str) or not (found := re.fullmatch(r"(\d+)([smhd])", value)):
        raise ValueError(f"{value!r} is no duration; write 30m, 2h or 1d")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if len(found[1]) < _DIGITS else timedelta.max
    if length > _LONGEST:
        raise ValueError(f"{value!r} is too long; at most {_LONGEST.days}d")
    return length


def _window(value: Any) -> Any:
    window = _duration(value)
    if not timedelta(0) < window <= KEEP_CLOSED:
        # letters are remembered no longer
        raise ValueError(f"{value!r} has to be longer than nothing and at most {KEEP_CLOSED.days}d")
    return window


def _time_of_day(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return time.fromisoformat(value)
    raise ValueError(f'{value!r} is no time of day; write it in quotes, as "22:00"')


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone")
    return name


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Window = Annotated[timedelta, BeforeValidator(_window)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]


class _Loader(yaml.SafeLoader):
    """YAML as it is safe to read, and each entry once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuses a mapping in which a name stands twice; YAML itself would take the second without a word."""
        names: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in names:
                    raise ConstructorError(None, None, f"{key.value} stands twice; which one is meant?", key.start_mark)
                names.add(key.value)
        return super().construct_mapping(node, deep=deep)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Gesture(_Part):
    code: str = Field(pattern=r"^[a-z0-9-]+$")
    title: dict[str, str]
    cost: Decimal = Field(ge=0, decimal_places=2)
    link: str | None = Field(default=None, pattern=r"^https://")

    @model_validator(mode="after")
    def _in_english(self) -> Self:
        if not self.title.get("en"):
            raise ValueError("title needs an English text (en), which serves wherever a language is missing")
        return self

    def offer(self, currency: str) -> GestureOffer:
        return GestureOffer(code=self.code, title=self.title, cost=self.cost, currency=currency, link=self.link)


class _Stage(_Gesture):
    wait: Duration


class _Delay(_Part):
    threshold: Duration
    revise_after: Duration
    gestures: list[_Stage]
    cancelled: _Gesture | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        waits = [stage.wait for stage in self.gestures]
        if waits != sorted(set(waits)):
            raise ValueError("gestures: each wait has to be longer than the one before")
        if len({stage.code for stage in self.gestures}) != len(self.gestures):
            raise ValueError("gestures: each code may stand once")
        return self


class _QuietHours(_Part):
    begin: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.begin == self.end:
            raise ValueError("begin and end are the same; leave quiet_hours out if there are none")
        return self


class _Cap(_Part):
    purpose: Purpose
    most: int = Field(ge=1, le=KEEP_OUTREACH)
    window: Window


class _File(_Part):
    delay_care: dict[str, _Delay]
    quiet_hours: _QuietHours | None = None
    caps: list[_Cap] = []
    channel_order: list[OutreachChannel] = Field(min_length=1)
    default_time_zone: Annotated[str, BeforeValidator(_time_zone)]
    default_locale: str = Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @model_validator(mode="after")
    def _with_default(self) -> Self:
        if "default" not in self.delay_care:
            raise ValueError("delay_care: an entry `default` serves the subjects that have none of their own")
        return self


def load_playbook(path: Path | None = None) -> Playbook:
    """The playbook in the file, or the one in the package. Raises SettingsError naming file and field."""
    source = files(__package__).joinpath("playbook.yaml") if path is None else path
    try:
        content = source.read_text(encoding="utf-8")
        return _playbook(_File.model_validate(yaml.load(content, _Loader)), content)
    except OSError as error:
        raise SettingsError(f"CARELINE_PLAYBOOK: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{source}: is not text in UTF-8: {error.reason}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{source}: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"{source}: {faults}") from error


def _playbook(file: _File, content: str) -> Playbook:
    return Playbook(
        version=hashlib.sha256(content.encode()).hexdigest()[:12],
        delays={
            kind: DelayRules(
                threshold=delay.threshold,
                revise_after=delay.revise_after,
                stages=tuple(Stage(wait=stage.wait, gesture=stage.offer(file.currency)) for stage in delay.gestures),
                cancelled=delay.cancelled.offer(file.currency) if delay.cancelled else None,
            )
            for kind, delay in file.delay_care.items()
        },
        quiet_hours=QuietHours(begin=file.quiet_hours.begin, end=file.quiet_hours.end) if file.quiet_hours else None,
        caps=tuple(FrequencyCap(purpose=cap.purpose, most=cap.most, window=cap.window) for cap in file.caps),
        channel_order=tuple(file.channel_order),
        default_time_zone=file.default_time_zone,
        default_locale=file.default_locale,
    )
