"""Settings of publishers, subscribers and processors: read once from the environment, frozen, passed down (prefix
``CARELINE_``; a secret also from ``..._FILE``). Those of a role are in its package; :mod:`processors.settings` composes
all of them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from streams.errors import SettingsError
from streams.http.destinations import Destinations
from streams.publishing.writers import Writers
from streams.secrets import apart
from streams.topics import Topics

_MEMORY = "memory://"


class TimeSource(StrEnum):
    """WALL: live. EVENTS: only the records' own times, for playing a past day."""

    WALL = "wall"
    EVENTS = "events"


class Settings(BaseModel):
    """What a publisher, a subscriber or a processor needs to know about its environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", description="host:port, separated by commas; or memory://name"
    )
    registry_url: str = Field(
        default="http://127.0.0.1:8081", description="a Confluent-compatible schema registry; or memory://name"
    )
    topic_prefix: str = Field(default="careline.", pattern=r"^[a-zA-Z0-9._-]*$")
    partitions: int = Field(default=4, ge=1, description="partitions of every topic; see topics apply")
    replication: int = Field(default=1, ge=1)
    keep_history: bool = Field(default=False, description="topics keep records for ever (to play a past day)")
    time_source: TimeSource = TimeSource.WALL

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ca_file: Path | None = None
    kafka_cert_file: Path | None = None
    kafka_key_file: Path | None = None
    registry_username: str | None = None
    registry_password: SecretStr | None = None

    instance: str = Field(default="0", description="name of this worker in its role; stable across restarts")
    webhook_allow: str | None = Field(
        default=None, description="hosts, addresses and networks that webhooks may reach though not public"
    )
    writers: str | None = Field(default=None, description="JSON: which sources may write a type of touchpoint")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings from ``environ`` (default: ``os.environ``). Raises SettingsError naming the variable."""
        env = dict(os.environ if environ is None else environ)
        prefix = "CARELINE_"
        values: dict[str, Any] = {}
        for name in cls.model_fields:
            variable = prefix + name.upper()
            file = env.get(f"{variable}_FILE")
            if file is not None and not name.endswith("_file"):
                try:
                    values[name] = Path(file).read_text(encoding="utf-8").strip()
                except OSError as error:
                    raise SettingsError(f"{variable}_FILE: cannot read {file}: {error.strerror}") from error
            elif variable in env:
                values[name] = env[variable]
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = "; ".join(
                f"{prefix}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
                for fault in error.errors()
            )
            raise SettingsError(faults) from error

    @model_validator(mode="before")
    @classmethod
    def _split_registry_credentials(cls, values: Any) -> Any:
        """Move credentials out of the registry's URL, so that a URL that is shown contains no password."""
        if not isinstance(values, dict):
            return values
        return apart(values, url="registry_url", username="registry_username", password="registry_password")

    @field_validator("webhook_allow")
    @classmethod
    def _hosts(cls, text: str | None) -> str | None:
        Destinations.parse(text or "")
        return text

    @field_validator("writers")
    @classmethod
    def _rules(cls, text: str | None) -> str | None:
        Writers.parse(text)
        return text

    @property
    def allowed_writers(self) -> Writers:
        """Which sources may write what to the touchpoints topic."""
        return Writers.parse(self.writers)

    @property
    def destinations(self) -> Destinations:
        """Which destinations webhooks may reach."""
        return Destinations.parse(self.webhook_allow or "")

    @property
    def topics(self) -> Topics:
        """The topic catalogue with this prefix."""
        return _catalogue(self.topic_prefix)

    @property
    def memory_broker(self) -> str | None:
        """The name of the in-memory broker; None for Kafka."""
        return _named(self.kafka_bootstrap)

    @property
    def memory_registry(self) -> str | None:
        """The name of the in-memory schema registry; None for a server."""
        return _named(self.registry_url)

    def kafka_client(self) -> dict[str, Any]:
        """Return the arguments that all aiokafka clients share: addresses and security. Raises SettingsError."""
        if self.memory_broker is not None:
            raise SettingsError(
                f"CARELINE_KAFKA_BOOTSTRAP: {self.kafka_bootstrap} is a broker in memory, and this needs a Kafka"
            )
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap.split(","),
            "security_protocol": self.kafka_security_protocol,
        }
        if "SSL" in self.kafka_security_protocol:
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
            if self.kafka_cert_file is not None:
                context.load_cert_chain(self.kafka_cert_file, self.kafka_key_file)
            arguments["ssl_context"] = context
        if "SASL" in self.kafka_security_protocol:
            if self.kafka_sasl_username is None or self.kafka_sasl_password is None:
                raise SettingsError("CARELINE_KAFKA_SASL_USERNAME and CARELINE_KAFKA_SASL_PASSWORD: needed for SASL")
            arguments |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_sasl_username,
                "sasl_plain_password": self.kafka_sasl_password.get_secret_value(),
            }
        return arguments


def _named(address: str) -> str | None:
    return address.removeprefix(_MEMORY) if address.startswith(_MEMORY) else None


@cache
def _catalogue(prefix: str) -> Topics:
    return Topics(prefix=prefix)
