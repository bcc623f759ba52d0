"""The registry's HTTP API over one pool of connections."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
from schema_registry.client import AsyncSchemaRegistryClient
from schema_registry.client.errors import ClientError

from streams.config import Settings
from streams.errors import SettingsError, Unavailable
from streams.secrets import redacted, without_credentials

AVRO = "AVRO"


class RegistryClient(AsyncSchemaRegistryClient):
    """The client over one pool of connections (its own opens one for every call), failing in this project's words."""

    def __init__(self, settings: Settings) -> None:
        auth: httpx.Auth | None = None
        if settings.registry_username is not None:
            password = settings.registry_password.get_secret_value() if settings.registry_password else ""
            auth = httpx.BasicAuth(settings.registry_username, password)
        else:
            auth = httpx.Auth()  # else the client sends empty credentials, which some servers refuse
        try:
            super().__init__(settings.registry_url, auth=auth, timeout=httpx.Timeout(10))
        except (AssertionError, ValueError, httpx.InvalidURL):
            raise SettingsError(
                f"CARELINE_REGISTRY_URL: {without_credentials(settings.registry_url)} is no http(s) address"
            ) from None
        self._url = settings.registry_url.rstrip("/")
        self.http = httpx.AsyncClient(**self.client_kwargs)

    async def request(
        self,
        url: str,
        method: str = "GET",
        body: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        timeout: Any = httpx.USE_CLIENT_DEFAULT,
    ) -> httpx.Response:
        """One request. Raises Unavailable, or SettingsError where the credentials are refused."""
        try:
            response = await self.http.request(
                method, url, headers=self.prepare_headers(body, headers), json=body, params=params, timeout=timeout
            )
            if response.content or response.status_code != httpx.codes.NO_CONTENT:
                response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = redacted(f"{type(error).__name__}: {error}", url)
            raise Unavailable.of("the schema registry", without_credentials(url), why) from None
        except (ValueError, RecursionError) as error:
            what = f"{response.status_code}, and not JSON as of a registry"
            raise Unavailable.says("the schema registry", without_credentials(url), what) from error
        shown = without_credentials(url)
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise SettingsError(
                f"CARELINE_REGISTRY_USERNAME, CARELINE_REGISTRY_PASSWORD: {shown} answers {response.status_code}"
            )
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable.says("the schema registry", shown, f"{response.status_code} {response.text[:200]}")
        return response

    async def text_of(self, schema_id: int) -> str | None:
        """The Avro schema of that id as it was written; None for an unknown id. Raises ClientError.

        The client's own method parses it, at whatever length and depth.
        """
        response = await self.request(self._of("schemas", "ids", str(schema_id)))
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        said = response.json()
        if response.status_code != httpx.codes.OK or not isinstance(said, dict):
            raise ClientError("no schema", http_code=response.status_code, server_traceback=said)
        if said.get("schemaType", AVRO) != AVRO:
            return ""
        text = said.get("schema")
        return text if isinstance(text, str) else ""

    async def id_of_version(self, subject: str, number: int) -> int:
        """The id of a version of the subject. Raises ClientError."""
        response = await self.request(self._of("subjects", subject, "versions", str(number)))
        if response.status_code != httpx.codes.OK:
            raise ClientError("no such version", http_code=response.status_code, server_traceback=response.json())
        return int(response.json()["id"])

    async def mode(self, subject: str, *, wanted: str | None = None) -> str | None:
        """The subject's mode, set first where one is ``wanted``; None where the registry does not tell."""
        url = self._of("mode", subject)
        try:
            if wanted is not None:
                await self.request(url, method="PUT", body={"mode": wanted})
            response = await self.request(url)
        except SettingsError:  # who may register schemas need not be one who may close subjects
            return None
        if response.status_code != httpx.codes.OK:
            return None
        mode = response.json().get("mode")
        return mode if isinstance(mode, str) else None

    def _of(self, *path: str) -> str:
        return "/".join((self._url, *(quote(part, safe="") for part in path)))
