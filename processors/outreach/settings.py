"""The channels of the outreach role, and how each is protected. Environment names begin with ``CARELINE_``."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr

_DURATION = r"^[1-9]\d{0,4}[smh]$"
_RATE = r"^[1-9]\d{0,6}/[smh]$"


class OutreachSettings(BaseModel):
    """The channels of the outreach role, and how each is protected."""

    smtp_url: SecretStr = Field(default=SecretStr("smtp://127.0.0.1:25"), description="smtp:// or smtps://user:pw@host")
    mail_from: str = Field(default="Careline <care@careline.example>", description="sender of e-mail")
    smtp_greeting: str = Field(
        default="5m", pattern=_DURATION, description="how long to wait for the greeting; RFC 5321: 5m"
    )
    webhook_secret: SecretStr | None = Field(default=None, description="signs webhooks, whsec_... (Standard Webhooks)")
    webhook_idempotent: bool = Field(default=True, description="false: receivers do not drop a webhook-id they know")
    sms_url: SecretStr | None = Field(default=None, description="Apprise URL of the SMS service, with {address}")
    push_url: SecretStr | None = Field(default=None, description="the same for push")
    email_rate: str | None = Field(default=None, pattern=_RATE, description="maximum rate: 10/s, 600/m, 5000/h")
    webhook_rate: str | None = Field(default=None, pattern=_RATE)
    sms_rate: str | None = Field(default=None, pattern=_RATE)
    push_rate: str | None = Field(default=None, pattern=_RATE)
    breaker_failures: int = Field(default=5, ge=1, description="failures in a row that open a circuit")
    breaker_pause: str = Field(default="30s", pattern=_DURATION, description="how long a circuit stays open: 30s, 5m")
