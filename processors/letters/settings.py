"""What letters contain beside their words: links and coupon codes. Environment names begin with ``CARELINE_``."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class LetterSettings(BaseModel):
    """What letters contain beside their words: links and coupon codes."""

    public_url: str | None = Field(default=None, description="beginning of our links; the gateway answers there")
    link_secret: SecretStr | None = Field(default=None, description="signs the links; at least 16 characters")
    link_secret_before: SecretStr | None = Field(
        default=None, description="the previous one; its links are still accepted"
    )
    coupon_secret: SecretStr | None = Field(default=None, description="makes coupon codes; at least 16 characters")
