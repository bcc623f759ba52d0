"""What the Python peers share: the touchpoints as they are on the wire, and the simple aggregate of one customer.

A schema directory holds one ``<id>.avsc`` for each schema id that occurs in the topic.
"""

import io
import json
import struct
from pathlib import Path
from typing import Any

import fastavro

LATEST = 16

Aggregate = dict[str, Any]

AGGREGATE = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Aggregate",
        "fields": [
            {"name": "touchpoints", "type": "long"},
            {"name": "last", "type": "long"},
            {"name": "latest", "type": {"type": "array", "items": "string"}},
        ],
    }
)


class Touchpoints:
    """Decodes Confluent-framed Avro by the schema id in it; times are milliseconds."""

    def __init__(self, directory: str | Path) -> None:
        self._schemas = {
            int(file.stem): fastavro.parse_schema(_plain(json.loads(file.read_text())))
            for file in Path(directory).glob("*.avsc")
        }

    def decode(self, value: bytes) -> Any:
        """The event as a dict."""
        _, schema_id = struct.unpack_from(">bI", value)
        body = io.BytesIO(value)
        body.seek(5)
        return fastavro.schemaless_reader(body, self._schemas[schema_id])


def add(aggregate: Aggregate | None, event: Any) -> Aggregate:
    """The customer's aggregate with one more event; None is nobody yet."""
    latest = [*aggregate["latest"], event["event_id"]] if aggregate else [event["event_id"]]
    return {
        "touchpoints": aggregate["touchpoints"] + 1 if aggregate else 1,
        "last": max(aggregate["last"], event["occurred_at"]) if aggregate else event["occurred_at"],
        "latest": latest[-LATEST:],
    }


def _plain(schema: Any) -> Any:
    """Without logical types: a peer needs neither datetimes nor decimals, and does not pay for them."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if isinstance(schema, dict):
        return {key: _plain(part) for key, part in schema.items() if key != "logicalType"}
    return schema
