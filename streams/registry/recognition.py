"""Checks that a registry recognises a schema formatted by another client, which producers in other languages need."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx

from schemas import Schema
from streams.config import Settings
from streams.registry.client import RegistryClient

TEXT_ONLY = (
    "This registry recognises a schema by its text only. Clients that look schemas up by content need "
    "normalize.schemas=true, and Java finds none by its latest version. For Apicurio set "
    "APICURIO_CCOMPAT_USE_CANONICAL_HASH=true."
)


async def recognises(settings: Settings, subject: str, schema: Schema) -> bool:
    """Whether the schema, registered under the subject, is also found with its keys reordered and without spaces.

    Raises Unavailable or SettingsError.
    """
    client = RegistryClient(settings)
    other = json.dumps(dict(reversed(schema.items())), separators=(",", ":"))
    url = f"{settings.registry_url.rstrip('/')}/subjects/{quote(subject, safe='')}"
    try:
        answer = await client.request(url, "POST", body={"schema": other})
    finally:
        await client.http.aclose()
    return answer.status_code == httpx.codes.OK
