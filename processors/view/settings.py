"""The Redis of the view, and how much it keeps. Environment names begin with ``CARELINE_``."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class ViewSettings(BaseModel):
    """The Redis of the view, and how much it keeps."""

    redis_url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"))
    view_timeline: int = Field(default=200, ge=1, le=10_000, description="timeline entries per customer in the view")
    view_outreach: int = Field(default=100, ge=1, le=10_000, description="outreaches per customer in the view")
    view_days: int = Field(
        default=400, ge=1, le=36_500, description="days after its last addition for which history is kept"
    )
