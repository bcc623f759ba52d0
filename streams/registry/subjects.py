"""Brings the registry's subjects in line with the catalogue: our schemas under each subject, and no others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import schemas
from schemas import Schema
from schemas.compatibility import Difference, canonical, strangers
from streams.errors import SchemaNotRegistered
from streams.registry.registry import FULL_TRANSITIVE, Registry
from streams.topics import Topics

_AT_ONCE = 6
"""More connections would cost the client more than they save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A version under one of our subjects that is not ours."""

    subject: str
    record: str
    version: int
    schema_id: int
    difference: Difference
    """How it differs from our latest version, and whether readers refuse records written with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectReport:
    """The result for one subject of the registry."""

    subject: str
    record: str
    schema_id: int
    """The id of our latest version."""
    versions: int
    """The number of our versions."""
    registered: int
    """The number of our versions that were new to the registry."""
    compatibility_was: str | None
    """The compatibility level before; it is FULL_TRANSITIVE now."""
    closed: bool
    """Whether the registry refuses further versions from anybody, until we register our next one."""
    strangers: tuple[Stranger, ...]
    """Versions under this subject that are not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectState:
    """How a subject of the registry compares with the contract."""

    subject: str
    record: str
    missing: tuple[int, ...]
    """Our versions that are not registered, from 1."""
    strangers: tuple[Stranger, ...]


async def compare_subjects(registry: Registry, topics: Topics) -> tuple[SubjectState, ...]:
    """Every subject compared with the contract, several at the same time, changing nothing.

    It is meant to be quick: where our latest version is registered and there are as many as ours, the others are taken
    to be ours without looking; :func:`find_strangers` looks. Raises Unavailable, SettingsError.
    """
    few = asyncio.Semaphore(_AT_ONCE)

    async def compared(subject: str, record: str) -> SubjectState:
        async with few:
            return await _compared(registry, subject, record)

    return tuple(await asyncio.gather(*(compared(*one) for one in topics.subjects())))


async def _compared(registry: Registry, subject: str, record: str) -> SubjectState:
    ours = schemas.versions(record)
    there = len(await registry.versions(subject))
    if not there:
        return SubjectState(subject=subject, record=record, missing=tuple(range(1, len(ours) + 1)), strangers=())
    latest = await _id_of(registry, subject, ours[-1])
    if latest is not None and there in (len(ours), len({canonical(one) for one in ours})):
        return SubjectState(subject=subject, record=record, missing=(), strangers=())
    ids = [await _id_of(registry, subject, schema) for schema in ours]
    return SubjectState(
        subject=subject,
        record=record,
        missing=tuple(number for number, one in enumerate(ids, 1) if one is None),
        strangers=await _strangers(registry, subject, record),
    )


async def ids_of(registry: Registry, subject: str, record: str) -> frozenset[int]:
    """The schema ids under which records of ours may stand on the topic. Raises Unavailable, SettingsError."""
    found = [await _id_of(registry, subject, schema) for schema in schemas.versions(record)]
    return frozenset(one for one in found if one is not None)


async def apply_schemas(registry: Registry, topics: Topics) -> tuple[SubjectReport, ...]:
    """Set every subject to FULL_TRANSITIVE, and register our missing versions, oldest first.

    If the registry supports it, the subjects are then closed to other versions, because its check does not notice
    everything that misleads a reader, such as amounts with other decimal places. Raises IncompatibleSchema,
    Unavailable, SettingsError.
    """
    reports: list[SubjectReport] = []
    can_close = True
    for subject, record in topics.subjects():
        before = await registry.compatibility(subject)
        known = await registry.versions(subject)
        ours = schemas.versions(record)
        ids = [await _id_of(registry, subject, schema) for schema in ours]
        if None in ids or before != FULL_TRANSITIVE:
            if known:
                await registry.set_writable(subject, writable=True)
            if before != FULL_TRANSITIVE:
                await registry.set_compatibility(subject, FULL_TRANSITIVE)
            ids = [await registry.register(subject, schema) for schema in ours]
        # a registry that cannot close one subject cannot close any
        can_close = can_close and await registry.set_writable(subject, writable=False)
        reports.append(
            SubjectReport(
                subject=subject,
                record=record,
                schema_id=ids[-1] or 0,
                versions=len(ours),
                registered=len(await registry.versions(subject)) - len(known),
                compatibility_was=before,
                closed=can_close,
                strangers=await _strangers(registry, subject, record),
            )
        )
    return tuple(reports)


async def find_strangers(registry: Registry, topics: Topics) -> tuple[Stranger, ...]:
    """The versions under our subjects that are not ours. Raises Unavailable, SettingsError."""
    return tuple(
        [stranger for subject, record in topics.subjects() for stranger in await _strangers(registry, subject, record)]
    )


async def _strangers(registry: Registry, subject: str, record: str) -> tuple[Stranger, ...]:
    ours = schemas.versions(record)
    numbers = await registry.versions(subject)
    if len(numbers) <= len(ours) and None not in [await _id_of(registry, subject, schema) for schema in ours]:
        return ()  # all of ours are there and no more: no need to look at each
    found = []
    for number in numbers:
        schema_id, schema = await registry.version(subject, number)
        for difference in strangers([schema or {}], ours):
            found.append(
                Stranger(subject=subject, record=record, version=number, schema_id=schema_id, difference=difference)
            )
    return tuple(found)


async def _id_of(registry: Registry, subject: str, schema: Schema) -> int | None:
    try:
        return await registry.id_of(subject, schema)
    except SchemaNotRegistered:
        return None
