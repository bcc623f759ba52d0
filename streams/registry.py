"""The schema registry behind one protocol: any Confluent-compatible server, and a twin in memory."""

from __future__ import annotations

from typing import Any, Protocol

import httpx
from schema_registry.client import AsyncSchemaRegistryClient
from schema_registry.client.errors import ClientError
from schema_registry.client.schema import AvroSchema

from schemas import Schema
from schemas.compatibility import canonical, problems
from streams.config import Settings
from streams.errors import IncompatibleSchema, SchemaNotRegistered, SettingsError, Unavailable, Unreadable

FULL_TRANSITIVE = "FULL_TRANSITIVE"
NONE = "NONE"


class Registry(Protocol):
    """Schemas by id and by subject. Every method raises Unavailable when the registry does not answer."""

    async def register(self, subject: str, schema: Schema) -> int:
        """The schema's id under the subject; registers it if it is new there.

        Raises IncompatibleSchema with the registry's reason.
        """
        ...

    async def id_of(self, subject: str, schema: Schema) -> int:
        """The id of a schema that is registered under the subject already. Raises SchemaNotRegistered."""
        ...

    async def schema(self, schema_id: int) -> Schema:
        """The schema that was written under the id. Raises Unreadable('unknown_schema') where there is none."""
        ...

    async def versions(self, subject: str) -> list[int]:
        """Version numbers of the subject, oldest first; [] for an unknown subject."""
        ...

    async def set_compatibility(self, subject: str, level: str) -> None:
        """Have the registry check new versions of the subject, as ``FULL_TRANSITIVE``; the subject need not exist."""
        ...

    async def compatibility(self, subject: str) -> str | None:
        """The level that is checked for the subject; None where nothing was set, or ``NONE`` was."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class ConfluentRegistry:
    """A server that speaks Confluent's API. What it said once of an id or a schema is not asked again."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.registry_url
        self._client = RegistryClient(settings)
        self._schemas: dict[int, Schema] = {}
        self._ids: dict[tuple[str, str], int] = {}

    async def register(self, subject: str, schema: Schema) -> int:
        """See :meth:`Registry.register`."""
        schema_id = await self._find(subject, schema)
        if schema_id is None:
            try:
                schema_id = int(await self._client.register(subject, _wrapped(subject, schema)))
            except ClientError as error:
                raise IncompatibleSchema(subject, _reason(error)) from error
            self._ids[subject, canonical(schema)] = schema_id
        return schema_id

    async def id_of(self, subject: str, schema: Schema) -> int:
        """See :meth:`Registry.id_of`."""
        schema_id = await self._find(subject, schema)
        if schema_id is None:
            raise SchemaNotRegistered(subject)
        return schema_id

    async def schema(self, schema_id: int) -> Schema:
        """See :meth:`Registry.schema`."""
        if schema_id not in self._schemas:
            if schema_id <= 0:  # registries count from one, and the client would ask for the list of all ids
                raise _unknown(schema_id)
            try:
                found = await self._client.get_by_id(schema_id)
            except ClientError as error:
                raise self._unexpected(error) from error
            except ValueError as error:  # JSON Schema or Protobuf under that id
                raise Unreadable("unknown_schema", f"schema id {schema_id} is not an Avro schema: {error}") from error
            if found is None:
                raise _unknown(schema_id)
            self._schemas[schema_id] = found.raw_schema
        return self._schemas[schema_id]

    async def versions(self, subject: str) -> list[int]:
        """See :meth:`Registry.versions`."""
        try:
            return sorted(await self._client.get_versions(subject))
        except ClientError as error:
            raise self._unexpected(error) from error

    async def set_compatibility(self, subject: str, level: str) -> None:
        """See :meth:`Registry.set_compatibility`."""
        try:
            await self._client.update_compatibility(level, subject)
        except ClientError as error:
            raise self._unexpected(error) from error

    async def compatibility(self, subject: str) -> str | None:
        """See :meth:`Registry.compatibility`."""
        try:
            level = str(await self._client.get_compatibility(subject))
        except ClientError as error:
            if error.http_code == httpx.codes.NOT_FOUND:
                return None
            raise self._unexpected(error) from error
        return None if level == NONE else level

    async def close(self) -> None:
        """See :meth:`Registry.close`."""
        await self._client.http.aclose()

    async def _find(self, subject: str, schema: Schema) -> int | None:
        key = (subject, canonical(schema))
        if key not in self._ids:
            try:
                match = await self._client.check_version(subject, _wrapped(subject, schema))
            except ClientError as error:
                raise self._unexpected(error) from error
            schema_id = await self._find_by_content(subject, key[1]) if match is None else int(match.schema_id)
            if schema_id is None:
                return None
            self._ids[key] = schema_id
        return self._ids[key]

    async def _find_by_content(self, subject: str, wanted: str) -> int | None:
        # Apicurio compares the text byte by byte, so a schema that another tool registered is not recognised
        for version in await self.versions(subject):
            found = await self._client.get_schema(subject, version)
            if found is not None and canonical(found.schema.raw_schema) == wanted:
                return int(found.schema_id)
        return None

    def _unexpected(self, error: ClientError) -> Unavailable:
        return Unavailable(f"schema registry {_shown(self._url)}: {error.http_code} {_reason(error)}")


class InMemoryRegistry:
    """A registry of one process, which refuses what a real one would refuse."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._schemas: dict[int, Schema] = {}
        self._subjects: dict[str, list[int]] = {}
        self._levels: dict[str, str] = {}

    async def register(self, subject: str, schema: Schema) -> int:
        """See :meth:`Registry.register`."""
        versions = self._subjects.get(subject, [])
        text = canonical(schema)
        if self._ids.get(text) in versions:
            return self._ids[text]
        checked = self._levels.get(subject, NONE) == FULL_TRANSITIVE
        reasons = problems(schema, [self._schemas[number] for number in versions] if checked else ())
        if reasons:
            raise IncompatibleSchema(subject, "; ".join(reasons))
        schema_id = self._ids.setdefault(text, len(self._ids) + 1)
        self._schemas[schema_id] = schema
        self._subjects.setdefault(subject, []).append(schema_id)
        return schema_id

    async def id_of(self, subject: str, schema: Schema) -> int:
        """See :meth:`Registry.id_of`."""
        schema_id = self._ids.get(canonical(schema))
        if schema_id is None or schema_id not in self._subjects.get(subject, ()):
            raise SchemaNotRegistered(subject)
        return schema_id

    async def schema(self, schema_id: int) -> Schema:
        """See :meth:`Registry.schema`."""
        if schema_id not in self._schemas:
            raise _unknown(schema_id)
        return self._schemas[schema_id]

    async def versions(self, subject: str) -> list[int]:
        """See :meth:`Registry.versions`."""
        return list(range(1, len(self._subjects.get(subject, ())) + 1))

    async def set_compatibility(self, subject: str, level: str) -> None:
        """See :meth:`Registry.set_compatibility`. Only FULL_TRANSITIVE and NONE are known here."""
        if level not in (FULL_TRANSITIVE, NONE):
            raise NotImplementedError(f"compatibility level {level}")
        self._levels[subject] = level

    async def compatibility(self, subject: str) -> str | None:
        """See :meth:`Registry.compatibility`."""
        level = self._levels.get(subject, NONE)
        return None if level == NONE else level

    async def close(self) -> None:
        """Nothing to let go of."""


class RegistryClient(AsyncSchemaRegistryClient):
    """The client over one pool of connections (its own opens one for every call), failing in this project's words."""

    def __init__(self, settings: Settings) -> None:
        auth: httpx.Auth | None = None
        if settings.registry_username is not None:
            password = settings.registry_password.get_secret_value() if settings.registry_password else ""
            auth = httpx.BasicAuth(settings.registry_username, password)
        elif "@" not in settings.registry_url:
            auth = httpx.Auth()  # else the client sends empty credentials, which some servers refuse
        try:
            super().__init__(settings.registry_url, auth=auth, timeout=httpx.Timeout(10))
        except (AssertionError, ValueError) as error:
            raise SettingsError(
                f"CARELINE_REGISTRY_URL: {_shown(settings.registry_url)} is no http(s) address"
            ) from error
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
            response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"schema registry {_shown(url)}: {type(error).__name__}: {error}") from error
        except ValueError as error:
            raise Unavailable(
                f"schema registry {_shown(url)}: {response.status_code}, and not JSON as of a registry"
            ) from error
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise SettingsError(
                f"CARELINE_REGISTRY_USERNAME, CARELINE_REGISTRY_PASSWORD: {_shown(url)} answers {response.status_code}"
            )
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"schema registry {_shown(url)}: {response.status_code} {response.text[:200]}")
        return response


def _wrapped(subject: str, schema: Schema) -> AvroSchema:
    try:
        return AvroSchema(schema)
    except Exception as error:  # fastavro raises several, without a common root
        raise IncompatibleSchema(subject, f"is not an Avro schema: {error}") from error


def _unknown(schema_id: int) -> Unreadable:
    return Unreadable("unknown_schema", f"the registry has no schema with id {schema_id}")


def _shown(url: str) -> str:
    """The address without the credentials that may stand in it."""
    return url.rpartition("@")[2]


def _reason(error: ClientError) -> str:
    said = error.server_traceback
    return str(said.get("message", said)) if isinstance(said, dict) else str(said or error)
