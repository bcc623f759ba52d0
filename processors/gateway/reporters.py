"""Who may report outcomes: each signs with secrets of its own (Standard Webhooks), and says what it is trusted with."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self

from aiohttp.web_request import BaseRequest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from processors.gateway.reports import BOUNCED, CALLBACKS, KINDS
from processors.gateway.requests import Unacceptable
from processors.gateway.settings import GatewaySettings
from streams.errors import SettingsError
from streams.events import Outcome, OutreachChannel, OutreachEngaged
from streams.json_names import unique

_ONE = r"v[0-9a-z]{1,8},[A-Za-z0-9+/=_-]{1,512}"
# What each header has to be as a whole. A comma in an id or a time is what a proxy makes of a header that came twice.
_SIGNATURE = {
    "webhook-id": re.compile(r"[!-+\--~]{1,256}"),
    "webhook-timestamp": re.compile(r"[0-9]{1,12}"),
    "webhook-signature": re.compile(rf"{_ONE}(?: {_ONE}){{0,7}}"),
}
_NAME = r"^[a-z0-9][a-z0-9-]{0,39}$"
_SHORTEST_SECRET = 16  # bytes


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secrets: Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=2)]
    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    channels: Annotated[tuple[OutreachChannel, ...], Field(min_length=1)] = tuple(OutreachChannel)


_ENTRIES = TypeAdapter(dict[Annotated[str, Field(pattern=_NAME)], _Entry])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """A provider or shop, the kinds of outcomes it may report, and the channels of the letters it may name."""

    name: str
    kinds: frozenset[str]
    channels: frozenset[OutreachChannel]
    secrets: tuple[Webhook, ...]

    def check(self, outcome: Outcome) -> None:
        """Raises Unacceptable (403) for an outcome that this reporter may not tell of."""
        kind = str(outcome.kind) if isinstance(outcome, OutreachEngaged) else BOUNCED
        if kind not in self.kinds:
            raise Unacceptable(403, "kind", f"{self.name} may not report {kind}")
        if outcome.channel not in self.channels:
            raise Unacceptable(403, "channel", f"{self.name} may not report on {outcome.channel}")


class Reporters:
    """All of them. Which one speaks is told by the secret that fits: no two share one."""

    def __init__(self, reporters: tuple[Reporter, ...]) -> None:
        """Names and secrets are different ones."""
        self._reporters = reporters

    @classmethod
    def of(cls, settings: GatewaySettings) -> Self | None:
        """As the settings say; None where nobody reports. Raises SettingsError, which holds no secret."""
        everybody = _everybody(settings)
        found = list(_named(settings.reporters, used=set(everybody)))
        if everybody:
            found.append(
                Reporter(
                    name=CALLBACKS,
                    kinds=frozenset(KINDS),
                    channels=frozenset(OutreachChannel),
                    secrets=tuple(Webhook(one) for one in everybody),
                )
            )
        return cls(tuple(found)) if found else None

    def heard(self, text: str, call: BaseRequest) -> tuple[Reporter, str]:
        """Who signed the text, and the id of the message. Raises Unacceptable (401).

        What is verified is what is returned: each header stands there once, and is whole.
        """
        said = {name: _only(name, call) for name in _SIGNATURE}
        why = "no secret fits"
        for reporter in self._reporters:
            for secret in reporter.secrets:
                try:
                    secret.verify(text, said, json_parse=False)
                except WebhookVerificationError as error:
                    why = str(error)
                except (ValueError, TypeError):
                    why = "it is malformed"
                else:
                    return reporter, said["webhook-id"]
        raise Unacceptable(401, "webhook-signature", f"the signature does not fit: {why}")


def _only(name: str, call: BaseRequest) -> str:
    values = call.headers.getall(name, [])
    if len(values) > 1:
        raise Unacceptable(401, name, "is there more than once")
    if not values or not _SIGNATURE[name].fullmatch(values[0]):
        raise Unacceptable(401, name, "is missing or malformed")
    return values[0]


def _named(setting: SecretStr | None, *, used: set[bytes]) -> Iterator[Reporter]:
    if setting is None or not setting.get_secret_value().strip():
        return
    for name, entry in _entries(setting).items():
        where = f"CARELINE_REPORTERS: {name}"
        if name == CALLBACKS:
            raise SettingsError(f"{where}: is the name of whoever signs with CARELINE_CALLBACK_SECRET")
        if wrong := sorted(set(entry.kinds) - set(KINDS)):
            raise SettingsError(f"{where}: kinds: {', '.join(wrong)[:100]}: not among {', '.join(KINDS)}")
        secrets = {_key(one, f"{where}: secrets") for one in entry.secrets}
        if secrets & used:
            raise SettingsError(f"{where}: has the secret of another")
        used |= secrets
        yield Reporter(
            name=name,
            kinds=frozenset(entry.kinds),
            channels=frozenset(entry.channels),
            secrets=tuple(Webhook(one) for one in secrets),
        )


def _entries(setting: SecretStr) -> dict[str, _Entry]:
    try:
        return _ENTRIES.validate_python(json.loads(setting.get_secret_value(), object_pairs_hook=unique))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][:2])
        raise SettingsError(f"CARELINE_REPORTERS: {where[:100]}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise SettingsError("CARELINE_REPORTERS: is no JSON object, or says a name twice") from None


def _everybody(settings: GatewaySettings) -> tuple[bytes, ...]:
    """The secrets that may say anything, the one in use first."""
    found = []
    if settings.callback_secret is not None:
        found.append(_key(settings.callback_secret, "CARELINE_CALLBACK_SECRET"))
        if settings.callback_secret_before is not None and settings.callback_secret_before.get_secret_value():
            found.append(_key(settings.callback_secret_before, "CARELINE_CALLBACK_SECRET_BEFORE"))
    return tuple(found)


def _key(secret: SecretStr, setting: str) -> bytes:
    """The bytes it stands for. Raises SettingsError, without the secret."""
    try:
        key = b64decode(secret.get_secret_value().removeprefix("whsec_") + "==")
    except ValueError:
        raise SettingsError(f"{setting}: not a secret of the form whsec_<base64>") from None
    if len(key) < _SHORTEST_SECRET:
        raise SettingsError(f"{setting}: not a secret of the form whsec_<base64>, of {_SHORTEST_SECRET} bytes or more")
    return key
