"""Where the gateway listens, and who may report what to it. Environment names begin with ``CARELINE_``."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class GatewaySettings(BaseModel):
    """Where the gateway listens, and who may report what to it."""

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8090, ge=0, le=65535, description="0: any free port, which is logged")
    callback_secret: SecretStr | None = Field(default=None, description="signs reports of any outcome, whsec_...")
    callback_secret_before: SecretStr | None = Field(default=None, description="the previous one, still accepted")
    reporters: SecretStr | None = Field(default=None, description="JSON: who reports what, each with its own secrets")
