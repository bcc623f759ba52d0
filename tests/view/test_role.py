"""The view goes on: a record that makes it fail costs itself; servers that are away are waited for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from processors.roles import wiring
from processors.settings import Settings
from processors.view import metrics
from processors.view import role as view_role
from processors.view.projection import Write
from processors.view.role import ViewRole
from processors.view.store import InMemoryViewStore, Position, Standing, ViewChanged
from streams.avro.codec import Codec
from streams.errors import Unavailable
from streams.events import Record, replace
from streams.topics import Topics
from tests.streams.given import prepared
from tests.streams.given import record as record_of
from tests.view.sample import ASKED, DELAYED, uid

TOPICS = Topics()
NAME = TOPICS.full_name(TOPICS.touchpoints)


class Fussy(InMemoryViewStore):
    """A store that fails on any write that holds a word, as Redis on what it cannot take."""

    def __init__(self, word: str, error: Exception) -> None:
        super().__init__()
        self.word, self.error = word, error
        self.away = 0

    async def apply(self, standing: Standing, writes: Sequence[Write], positions: Mapping[Position, int]) -> Standing:
        if self.away:
            self.away -= 1
            raise Unavailable("Redis is away")
        if any(self.word in repr(write) for write in writes):
            raise self.error
        return await super().apply(standing, writes, positions)


async def role_of(store: InMemoryViewStore) -> tuple[ViewRole, Codec]:
    codec, registry = await prepared()
    role = wiring.view(Settings(), store=store, registry=registry)
    await role._codec.prepare(*TOPICS.all())
    return role, codec


def records(codec: Codec, *of: Record) -> list[ConsumerRecord]:
    return [
        record_of(codec.encode(TOPICS.touchpoints, one), topic=NAME, offset=offset, key=b"x")
        for offset, one in enumerate(of)
    ]


def skipped(reason: str = "unprocessable") -> float:
    return metrics.VIEW_SKIPPED.labels(topic=NAME, reason=reason)._value.get()


def customers(*names: str) -> list[Any]:
    return [replace(ASKED, event_id=uid(name), customer_id=name, feedback_id=name) for name in names]


STRANGE: list[Exception] = [
    OverflowError("date value out of range"),
    UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed"),
    RecursionError("maximum recursion depth exceeded"),
    KeyError("team"),
    TypeError("not a number"),
]


@pytest.mark.parametrize("error", STRANGE, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("at", range(7))
async def test_a_record_that_the_store_cannot_take_costs_itself(error: Exception, at: int) -> None:
    """Everybody else in its batch is shown, the place of each topic moves on, and the one is counted."""
    names = [f"customer-{number}" for number in range(7)]
    names[at] = "the-bad-one"
    store = Fussy("the-bad-one", error)
    role, codec = await role_of(store)
    before = skipped()
    standing = await role._taken(await store.begin(), records(codec, *customers(*names)))
    assert standing is not None
    assert standing.positions == {(NAME, 0): 7}
    assert await store.load() == standing
    for name in names:
        shown = (await store.customer(name, limit=5)).timeline
        assert len(shown) == (name != "the-bad-one")
    assert skipped() == before + 1


@pytest.mark.parametrize("error", STRANGE, ids=lambda one: type(one).__name__)
async def test_a_record_that_the_projection_cannot_take_costs_itself(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours with one record does not hide the customers after it."""
    real = view_role.project

    def project(record: Any, *more: Any) -> Any:
        if record.customer_id == "the-bad-one":
            raise error
        return real(record, *more)

    monkeypatch.setattr(view_role, "project", project)
    store = InMemoryViewStore()
    role, codec = await role_of(store)
    before = skipped()
    await role._taken(await store.begin(), records(codec, *customers("a", "the-bad-one", "b")))
    assert [len((await store.customer(name, limit=5)).timeline) for name in ("a", "the-bad-one", "b")] == [1, 0, 1]
    assert skipped() == before + 1


async def test_a_time_that_no_calendar_has() -> None:
    """A record that Kafka dates to the year 290,000 is the publisher's slip and no reason to stop."""
    store = InMemoryViewStore()
    role, codec = await role_of(store)
    batch = records(codec, *customers("a", "b"))
    batch[0] = dataclasses.replace(batch[0], timestamp=(1 << 63) - 1)
    await role._taken(await store.begin(), batch)
    assert len((await store.customer("b", limit=5)).timeline) == 1


async def test_servers_that_are_away_are_no_bad_record() -> None:
    """While Redis is away nothing is skipped; it is tried again."""
    store = Fussy("no such word", ValueError())
    role, codec = await role_of(store)
    before = skipped()
    standing = await store.begin()
    store.away = 2
    await role._taken(standing, records(codec, *customers("a", "b", "c")))
    assert skipped() == before
    assert [len((await store.customer(name, limit=5)).timeline) for name in "abc"] == [1, 1, 1]


async def test_a_view_that_another_wrote_is_no_bad_record() -> None:
    """It is asked for anew, with nothing skipped."""
    store = InMemoryViewStore()
    role, codec = await role_of(store)
    before = skipped()
    stale = await store.begin()
    await store.begin()
    with pytest.raises(ViewChanged):
        await role._taken(stale, records(codec, *customers("a", "b", "c")))
    assert skipped() == before


async def test_a_store_that_takes_nothing_is_not_a_bad_record() -> None:
    """Where the failure is not the record's the role ends with it, instead of skipping everything."""
    store = Fussy("", ValueError("broken"))

    async def broken(*_: Any) -> Standing:
        raise ValueError("broken")

    role, codec = await role_of(store)
    standing = await store.begin()
    store.apply = broken  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="broken"):
        await role._taken(standing, records(codec, *customers("a", "b")))


@pytest.mark.parametrize(
    "name", ["a[/b]", "x" * 200, "nul\x00", "new\nline", "👩‍👧", "careline:view:erased", "*", "../..", "a b", "ü/0"]
)
async def test_a_customer_of_any_name_is_shown(name: str) -> None:
    """Ids are texts; whichever a company uses, its customers are found under it."""
    store = InMemoryViewStore()
    role, codec = await role_of(store)
    await role._taken(await store.begin(), records(codec, replace(DELAYED, customer_id=name)))
    assert len((await store.customer(name, limit=5)).timeline) == 1
