"""Settings: the environment, read once, frozen, passed down (prefix ``CARELINE_``; a secret also from ``..._FILE``)."""

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

_DURATION = r"^[1-9]\d{0,4}[smh]$"
_MEMORY = "memory://"
_RATE = r"^[1-9]\d{0,6}/[smh]$"


class TimeSource(StrEnum):
    """WALL: live. EVENTS: the records' own times only, as when a past day is played."""

    WALL = "wall"
    EVENTS = "events"


class Settings(BaseModel):
    """Everything a role, a publisher or a subscriber has to know about its environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", description="host:port, separated by commas; or memory://name"
    )
    registry_url: str = Field(
        default="http://127.0.0.1:8081", description="a Confluent-compatible schema registry; or memory://name"
    )
    redis_url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"))
    smtp_url: SecretStr = Field(default=SecretStr("smtp://127.0.0.1:25"), description="smtp:// or smtps://user:pw@host")
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
    ops_host: str = "127.0.0.1"
    ops_port: int | None = Field(default=None, ge=0, le=65535, description="/metrics, /livez, /readyz; 0: any free one")
    playbook: Path | None = Field(default=None, description="the playbook file; if not set, the one in the package")
    playbook_reload: int = Field(default=5, ge=1, le=3600, description="seconds between checks of the playbook file")
    mail_from: str = Field(default="Careline <care@careline.example>", description="sender of e-mail")
    smtp_greeting: str = Field(
        default="5m", pattern=_DURATION, description="how long to wait for the greeting; RFC 5321: 5m"
    )
    webhook_secret: SecretStr | None = Field(default=None, description="signs webhooks, whsec_... (Standard Webhooks)")
    webhook_idempotent: bool = Field(default=True, description="false: receivers do not drop a webhook-id they know")
    webhook_allow: str | None = Field(
        default=None, description="hosts, addresses and networks that webhooks may reach though not public"
    )
    sms_url: SecretStr | None = Field(default=None, description="Apprise URL of the SMS service, with {address}")
    push_url: SecretStr | None = Field(default=None, description="the same for push")
    email_rate: str | None = Field(default=None, pattern=_RATE, description="maximum rate: 10/s, 600/m, 5000/h")
    webhook_rate: str | None = Field(default=None, pattern=_RATE)
    sms_rate: str | None = Field(default=None, pattern=_RATE)
    push_rate: str | None = Field(default=None, pattern=_RATE)
    breaker_failures: int = Field(default=5, ge=1, description="failures in a row that open a circuit")
    breaker_pause: str = Field(default="30s", pattern=_DURATION, description="how long a circuit stays open: 30s, 5m")
    public_url: str | None = Field(default=None, description="beginning of our links; the gateway answers there")
    link_secret: SecretStr | None = Field(default=None, description="signs the links; at least 16 characters")
    link_secret_before: SecretStr | None = Field(
        default=None, description="the previous one; its links are still accepted"
    )
    coupon_secret: SecretStr | None = Field(default=None, description="makes coupon codes; at least 16 characters")
    callback_secret: SecretStr | None = Field(default=None, description="signs reports of any outcome, whsec_...")
    callback_secret_before: SecretStr | None = Field(default=None, description="the previous one, still accepted")
    reporters: SecretStr | None = Field(default=None, description="JSON: who reports what, each with its own secrets")
    writers: str | None = Field(default=None, description="JSON: which sources may write a type of touchpoint")
    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8090, ge=0, le=65535, description="0: any free port, which is logged")
    view_timeline: int = Field(default=200, ge=1, le=10_000, description="timeline entries per customer in the view")
    view_outreach: int = Field(default=100, ge=1, le=10_000, description="outreaches per customer in the view")
    view_days: int = Field(
        default=400, ge=1, le=36_500, description="days after its last addition for which history is kept"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from ``environ`` (default: ``os.environ``). Raises SettingsError naming the variable."""
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
    def _registry_apart(cls, values: Any) -> Any:
        """No URL that is shown contains a password."""
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
        """Who may write what to the touchpoints topic."""
        return Writers.parse(self.writers)

    @property
    def destinations(self) -> Destinations:
        """Where webhooks may go."""
        return Destinations.parse(self.webhook_allow or "")

    @property
    def topics(self) -> Topics:
        """The topic catalogue with this prefix."""
        return _catalogue(self.topic_prefix)

    @property
    def memory_broker(self) -> str | None:
        """The name of the broker in memory; None where it is Kafka."""
        return _named(self.kafka_bootstrap)

    @property
    def memory_registry(self) -> str | None:
        """The name of the schema registry in memory; None where it is a server."""
        return _named(self.registry_url)

    def kafka_client(self) -> dict[str, Any]:
        """The arguments every aiokafka client shares: addresses and security. Raises SettingsError."""
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
