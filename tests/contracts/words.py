"""Schemas without their documentation."""

from __future__ import annotations

from typing import Any


def without_words(schema: Any) -> Any:
    """What the schema says of the bytes, and nothing that is said for people."""
    if isinstance(schema, list):
        return [without_words(part) for part in schema]
    if isinstance(schema, dict):
        return {key: without_words(part) for key, part in sorted(schema.items()) if key != "doc"}
    return schema
