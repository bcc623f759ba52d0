"""What a batch removes from Redis: outreaches and their records beyond the bounds of a customer's history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from processors.view.projection import OUTREACHES, PutField, Rank, Write, outreach_key, too_many


@dataclass(frozen=True, slots=True)
class Beyond:
    """What exceeds the bounds. ``ranks``: outreaches to drop, by customer key; ``fields``: records, by outreach key."""

    ranks: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def outreaches(self) -> frozenset[str]:
        """Every outreach to drop."""
        return frozenset(one for ids in self.ranks.values() for one in ids)


async def beyond(redis: Any, writes: Sequence[Write]) -> Beyond:
    """What will exceed the bounds once these are written. One round trip, and a second if anything exceeds them."""
    ranks: dict[str, dict[str, int]] = {}
    fields: dict[str, dict[str, int]] = {}
    most: dict[str, int] = {}
    for write in writes:
        if isinstance(write, Rank) and write.keep and write.key.startswith(OUTREACHES):
            scores = ranks.setdefault(write.key, {})
            scores[write.member] = max(write.score, scores.get(write.member, write.score))
            most[write.key] = write.keep
        elif isinstance(write, PutField) and write.keep:
            fields.setdefault(write.key, {})[write.field] = write.at
            most[write.key] = write.keep
    found = Beyond()
    async with redis.pipeline(transaction=False) as pipe:
        for key in ranks:
            pipe.zcard(key)
        for key in fields:
            pipe.hlen(key)
        counts = await pipe.execute() if most else []
    new = {**ranks, **fields}
    for key, count in zip(new, counts, strict=True):
        if count + len(new[key]) <= most[key]:
            continue
        if key in ranks:
            known = {one: int(score) for one, score in await redis.zrange(key, 0, -1, withscores=True)}
            scores = {one: max(score, known.get(one, score)) for one, score in ranks[key].items()}
            found.ranks[key] = sorted({**known, **scores}, key=_by({**known, **scores}))[: -most[key]]
        else:
            kept = {name: int(text.partition(":")[0]) for name, text in (await redis.hgetall(key)).items()}
            found.fields[key] = too_many({**kept, **fields[key]}, most[key])
    return found


def queue_end(pipe: Any, old: Beyond) -> None:
    """Queue the commands that delete what exceeds the bounds."""
    for key, names in _some(old.fields):
        pipe.hdel(key, *names)
    for key, ids in _some(old.ranks):
        pipe.zrem(key, *ids)
        pipe.unlink(*map(outreach_key, ids))


def _some(found: dict[str, list[str]]) -> Iterable[tuple[str, list[str]]]:
    return ((key, names) for key, names in found.items() if names)


def _by(scores: dict[str, int]) -> Any:
    return lambda one: (scores[one], one.encode())
