"""The schema registry behind one protocol: any Confluent-compatible server, and a twin in memory."""

from __future__ import annotations

import json
from typing import Protocol

import httpx
from schema_registry.client.errors import ClientError
from schema_registry.client.schema import AvroSchema

from schemas import Schema
from schemas.compatibility import canonical, problems
from streams.config import Settings
from streams.errors import IncompatibleSchema, SchemaNotRegistered, Unavailable, Unreadable
from streams.registry.client import RegistryClient
from streams.secrets import without_credentials

FULL_TRANSITIVE = "FULL_TRANSITIVE"
NONE = "NONE"

_LONGEST = 256 << 10
"""Characters of a schema; our largest has 56,000."""


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

    async def version(self, subject: str, number: int) -> tuple[int, Schema | None]:
        """The id and the schema of a version of the subject; no schema where it is none of Avro's."""
        ...

    async def set_writable(self, subject: str, writable: bool) -> bool:
        """Whether the subject takes new versions, or none from anybody; False where the registry does not offer it."""
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
                text = await self._client.text_of(schema_id)
            except ClientError as error:
                raise self._unexpected(error) from error
            if text is None:
                raise _unknown(schema_id)
            self._schemas[schema_id] = _parsed(schema_id, text)
        return self._schemas[schema_id]

    async def versions(self, subject: str) -> list[int]:
        """See :meth:`Registry.versions`."""
        try:
            return sorted(await self._client.get_versions(subject))
        except ClientError as error:
            raise self._unexpected(error) from error

    async def version(self, subject: str, number: int) -> tuple[int, Schema | None]:
        """See :meth:`Registry.version`."""
        schema_id = await self._client.id_of_version(subject, number)
        try:
            return schema_id, await self.schema(schema_id)
        except Unreadable:
            return schema_id, None

    async def set_writable(self, subject: str, writable: bool) -> bool:
        """See :meth:`Registry.set_writable`. By the subject's mode, which Confluent's registry keeps to; Apicurio's
        takes the request and does nothing about it, so the answer is what it says afterwards."""
        mode = "READWRITE" if writable else "READONLY"
        return await self._client.mode(subject) == mode or await self._client.mode(subject, wanted=mode) == mode

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
        what = f"{error.http_code} {_reason(error)}"
        return Unavailable.says("the schema registry", without_credentials(self._url), what)


class InMemoryRegistry:
    """A registry of one process, which refuses what a real one would refuse."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._schemas: dict[int, Schema] = {}
        self._subjects: dict[str, list[int]] = {}
        self._levels: dict[str, str] = {}
        self._closed: set[str] = set()

    async def register(self, subject: str, schema: Schema) -> int:
        """See :meth:`Registry.register`."""
        versions = self._subjects.get(subject, [])
        text = canonical(schema)
        if self._ids.get(text) in versions:
            return self._ids[text]
        if subject in self._closed:
            raise IncompatibleSchema(subject, "takes no new versions")
        checked = self._levels.get(subject, NONE) == FULL_TRANSITIVE
        reasons = problems(schema, [self._schemas[number] for number in versions] if checked else (), registries=True)
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

    async def version(self, subject: str, number: int) -> tuple[int, Schema | None]:
        """See :meth:`Registry.version`."""
        schema_id = self._subjects[subject][number - 1]
        return schema_id, self._schemas[schema_id]

    async def set_writable(self, subject: str, writable: bool) -> bool:
        """See :meth:`Registry.set_writable`."""
        (self._closed.discard if writable else self._closed.add)(subject)
        return True

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


def _parsed(schema_id: int, text: str) -> Schema:
    if len(text) > _LONGEST:  # reading it would take longer than a record may
        raise Unreadable("foreign_schema", f"schema id {schema_id}: a schema of {len(text):,} characters")
    try:
        found: Schema = json.loads(text)
    except (ValueError, RecursionError) as error:  # JSON Schema or Protobuf stands there, or what nothing can parse
        raise Unreadable("unknown_schema", f"schema id {schema_id} is not an Avro schema: {error}") from error
    return found


def _wrapped(subject: str, schema: Schema) -> AvroSchema:
    try:
        return AvroSchema(schema)
    except Exception as error:  # fastavro raises several, without a common root
        raise IncompatibleSchema(subject, f"is not an Avro schema: {error}") from error


def _unknown(schema_id: int) -> Unreadable:
    return Unreadable("unknown_schema", f"the registry has no schema with id {schema_id}")


def _reason(error: ClientError) -> str:
    said = error.server_traceback
    return str(said.get("message", said)) if isinstance(said, dict) else str(said or error)
