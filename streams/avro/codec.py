"""Confluent framing (zero byte, four-byte schema id, Avro body) around the typed records.

The writer's schema is looked up by its id; the reader's schema is ours. The decoder from one to the other is generated
once. Ids stay strings: an ``event_id`` that is not a UUID is still a valid key.

Every record of every reader passes through here, so values are checked here: whatever :meth:`Codec.decode` returns,
:meth:`Codec.encode` accepts.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Container, Iterable
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import fastavro
from fastavro.schema import expand_schema

import schemas
from schemas import Schema
from schemas.compatibility import misread
from schemas.expansion import Node, Unfit, expanded
from streams.avro.binary import MOST_OWN_WORK, MOST_WORK, Decoder, Encoder, read_number
from streams.avro.generated import field_of
from streams.avro.parts import Layout
from streams.avro.records import NAMES, RECORDS
from streams.avro.specialised import decoder_of, encoder_of
from streams.broker.sealed import SEALED, Sealed
from streams.errors import IncompatibleSchema, SchemaNotRegistered, Unreadable
from streams.events import Record
from streams.topics import Topic, Topics

if TYPE_CHECKING:  # checking and reading records must not load a registry client
    from streams.registry.registry import Registry

_ASK_AGAIN = 10.0
"""Seconds before the registry is asked again about a schema that is not under our subjects; it may be registered."""

WRONG_TOPIC = "wrong_topic"
"""The dead letter's reason for a record of a type that its topic does not carry."""

_PUBLISHED = frozenset(Topics().touchpoints.records)
_HEADER = struct.Struct(">bI")
MAGIC = 0


class Codec:
    """Encodes records for the topics it was prepared for, and decodes every record whose schema id is known."""

    def __init__(self, *, registry: Registry, topics: Topics, seconds: Callable[[], float] = time.monotonic) -> None:
        """``seconds``: a monotonic clock."""
        self._registry = registry
        self._seconds = seconds
        self._topics = topics
        self._headers: dict[tuple[str, type[Any]], bytes] = {}
        self._encoders: dict[type[Any], Encoder] = {}
        self._decoders: dict[int, Decoder | _Unusable] = {}
        self._kinds: dict[int, type[Any]] = {}
        self._layouts: dict[str, Layout[Any]] = {}

    async def prepare(self, *topics: Topic) -> None:
        """Look up the schema ids of all record types that these topics carry.

        Raises SchemaNotRegistered or Unavailable.
        """
        for topic in topics:
            for name in topic.records:
                schema = schemas.latest(name)
                schema_id = await self._registry.id_of(self._topics.subject(topic, name), schema)
                record = RECORDS[name]
                self._headers[topic.name, record] = _HEADER.pack(MAGIC, schema_id)
                self._encoders[record], self._decoders[schema_id] = _ours(name)
                self._kinds[schema_id] = record

    def encode(self, topic: Topic, record: Record) -> bytes:
        """The framed bytes of a record for a prepared topic.

        Raises KeyError if the topic does not carry such records or was not prepared, and a TypeError, ValueError or
        the like for values that do not fit the schema (:func:`streams.avro.generated.field_of` says which field).
        """
        kind = type(record)
        return self._headers[topic.name, kind] + self._encoders[kind](record)

    async def decode(self, value: bytes | None, *, among: Container[type[Any]] | None = None) -> Record:
        """The typed record. Each of its values can be encoded again.

        ``among``: the types that the topic carries; a record of another type is refused before its values are read.
        Raises Unreadable with the reason, or Unavailable when the registry does not answer.
        """
        if value is None:
            raise Unreadable("tombstone", "a null value where a record was expected")
        if type(value) is Sealed:
            raise Unreadable(SEALED, value.why)
        schema_id = schema_id_of(value)
        if schema_id is None:
            raise Unreadable("not_avro", f"does not start with Confluent framing: {value[:8].hex() or 'empty'}")
        decoder = self._decoders.get(schema_id)
        if decoder is None or (isinstance(decoder, _Unusable) and decoder.until < self._seconds()):
            decoder = self._decoders[schema_id] = await self._look_up(schema_id)
        if isinstance(decoder, _Unusable):
            raise Unreadable(decoder.reason, decoder.detail)
        if among is not None and (kind := self._kinds[schema_id]) not in among:
            raise Unreadable(WRONG_TOPIC, f"{NAMES[kind]} does not belong on this topic")
        record: Record
        try:
            record, end = decoder(value, _HEADER.size)
        except Exception as error:  # whatever a broken body makes the decoder raise, the record is unreadable
            field = field_of(error)
            at = f"{field}: " if field else ""
            raise Unreadable("undecodable", f"schema id {schema_id}: {at}{type(error).__name__}: {error}") from error
        if end != len(value):
            left = len(value) - end
            fault = f"{left} bytes left over" if left > 0 else f"ends {-left} bytes too early"
            raise Unreadable("undecodable", f"schema id {schema_id}: {fault}")
        return record

    def layout(self, topic: Topic) -> Layout[Any]:
        """The layout in parts of a prepared topic's single record type; made once and shared by all partitions."""
        if topic.name not in self._layouts:
            [name] = topic.records
            record, schema = RECORDS[name], expand(schemas.latest(name))
            self._layouts[topic.name] = Layout(record, schema, self._headers[topic.name, record])
        return self._layouts[topic.name]

    def wake_at(self, topic: Topic, record: type[Any], value: bytes) -> int | None:
        """The record's first field, ``wake_at``, in milliseconds, read without decoding the rest; None if it is null.

        Only for records of our own version. Raises Unreadable for another version, which has to be decoded whole.
        """
        if not value.startswith(self._headers[topic.name, record]):
            raise Unreadable("other_version", "wake_at can only be peeked at in our own version")
        branch = value[_HEADER.size]  # of ["null", timestamp-millis]
        return read_number(value, _HEADER.size + 1)[0] if branch else None

    async def _look_up(self, schema_id: int) -> Decoder | _Unusable:
        # an unknown id raises and is not cached: the schema may be registered a moment later
        schema = await self._registry.schema(schema_id)
        name = full_name(schema)
        record = RECORDS.get(name)
        if record is None:
            return _Unusable("unknown_event_type", f"{name} (schema id {schema_id}) is not part of this contract")
        ours = schemas.latest(name)
        self._kinds[schema_id] = record
        if schema == ours:
            return _ours(name)[1]
        try:
            written = expanded(schema)
            if written not in _published(name) and not await self._is_registered(name, schema):
                return _Unusable(
                    "foreign_schema",
                    f"schema id {schema_id}: is not registered under {' or '.join(self._subjects(name))}",
                    self._seconds() + _ASK_AGAIN,
                )
            if differences := misread(written, expanded(ours)):
                return _Unusable("foreign_schema", f"schema id {schema_id}: {'; '.join(differences)}")
            return decoder_of(ours, record, written=written, work=_work(name))
        except Unfit as why:
            return _Unusable("foreign_schema", f"schema id {schema_id}: the schema {why}")

    def _subjects(self, name: str) -> list[str]:
        return [subject for subject, record in self._topics.subjects() if record == name]

    async def _is_registered(self, name: str, schema: Schema) -> bool:
        """Whether the schema is under a subject of the contract; under any other, nobody checked it against ours."""
        for subject in self._subjects(name):
            try:
                await self._registry.id_of(subject, schema)
            except SchemaNotRegistered:
                continue
            except IncompatibleSchema as why:
                raise Unfit(why.reason) from why
            return True
        return False


class _Unusable(NamedTuple):
    """Why no record written with a schema can be read."""

    reason: str
    detail: str
    until: float = inf
    """When the registry is asked again, in seconds of the monotonic clock."""


@cache
def _published(name: str) -> list[Node]:
    """All our own versions; one of them registered under another subject still means the same."""
    return [expanded(schema) for schema in schemas.versions(name)]


@cache
def _ours(name: str) -> tuple[Encoder, Decoder]:
    """Encoder and decoder of our own version of a record, the same on every topic."""
    schema = schemas.latest(name)
    return encoder_of(schema), decoder_of(schema, RECORDS[name], work=_work(name))


def _work(name: str) -> int:
    """The limit of work for reading a record: lower for types that publishers write too."""
    return MOST_WORK if name in _PUBLISHED else MOST_OWN_WORK


def as_written(record: Record) -> Record:
    """The record as its readers will see it: times rounded to milliseconds, money to its decimal places.

    Raises a TypeError, ValueError or the like for values that do not fit the schema.
    """
    encode, decode = _ours(NAMES[type(record)])
    written: Record = decode(encode(record), 0)[0]
    return written


def schema_id_of(value: bytes) -> int | None:
    """The schema id in the framing, or None if the value has no Confluent framing."""
    if len(value) < _HEADER.size:
        return None
    magic, schema_id = _HEADER.unpack_from(value)
    return schema_id if magic == MAGIC else None


def full_name(schema: Schema) -> str:
    """The record's name with its namespace; empty for a schema that is not a named type."""
    name = schema.get("name") if isinstance(schema, dict) else None
    if not isinstance(name, str):
        return ""
    return name if "." in name else f"{schema.get('namespace', '')}.{name}".strip(".") if name else ""


def parse(schema: Schema) -> Any:
    """The schema parsed for fastavro; UUIDs stay the strings that they are on the wire."""
    return fastavro.parse_schema(_without_uuid(schema))


def expand(schema: Schema) -> Schema:
    """The parsed schema with every named type written out where it is used."""
    return cast("Schema", expand_schema(parse(schema)))


def _without_uuid(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_uuid(part) for part in schema]
    if isinstance(schema, dict):
        if schema.get("logicalType") == "uuid":
            return schema["type"]
        return {key: _without_uuid(part) if key in _NESTED else part for key, part in schema.items()}
    return schema


_NESTED: Iterable[str] = frozenset({"type", "fields", "items", "values"})
