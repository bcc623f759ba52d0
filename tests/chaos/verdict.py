"""Compares the seen records with the expected ones: every kind of difference has a name and is counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.topics import Topics
from tests.chaos.oracle import GONE, Expected, Output
from tests.chaos.watching import Seen, Watcher, digest

Identify = Callable[[Seen], Awaitable[str]]
"""The identity of an output record; see :func:`tests.chaos.oracle.identity_of`."""

_EXAMPLES = 5
_ORDERED = ("decisions", "outreach", "exposures")


@dataclass(slots=True)
class Verdict:
    """All counts are 0 if nothing is wrong."""

    events: int = 0
    outputs: int = 0
    states: int = 0
    timers: int = 0
    lost: int = 0
    """Missing outputs, and customers without a state."""
    duplicated: int = 0
    """Outputs that appear too often, or should not exist."""
    order_breaks: int = 0
    """Outputs and states of a customer that were seen after a later one."""
    wrong_states: int = 0
    """Customers whose last state differs, states that the core never has, outputs with different contents."""
    zombie_records: int = 0
    """Records that a worker committed after another had taken its partition."""
    unsettled: int = 0
    """Records that a reader saw during the drive and that are missing afterwards, or the reverse."""
    late: str = ""
    """What was not handled in time: the machine was too slow, or a partition is stuck. It counts as lost."""
    examples: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is lost, doubled, out of order or wrong, and there is no zombie."""
        return not (
            self.lost
            or self.duplicated
            or self.order_breaks
            or self.wrong_states
            or self.zombie_records
            or self.unsettled
            or self.late
        )

    def note(self, what: str) -> None:
        """Keep an example for the investigation."""
        if len(self.examples) < _EXAMPLES:
            self.examples.append(what)


async def judge(
    expected: Expected, live: Watcher, afterwards: Watcher, *, topics: Topics, identify: Identify, recode: Any
) -> Verdict:
    """Compare. ``recode`` encodes a state's bytes again like the core, because equal maps may differ in order."""
    verdict = Verdict(
        events=expected.events, outputs=len(expected.outputs), states=len(expected.states), timers=expected.timers
    )
    _settled(verdict, live, afterwards)
    await _outputs(verdict, expected.outputs, afterwards, topics=topics, identify=identify)
    await _states(verdict, expected, live, topics=topics, recode=recode)
    _zombies(verdict, afterwards, topics=topics)
    return verdict


def _settled(verdict: Verdict, live: Watcher, afterwards: Watcher) -> None:
    for place, found in afterwards.records.items():
        seen = {(one.offset, digest(one.value)) for one in live.records[place]}
        now = {(one.offset, digest(one.value)) for one in found}
        gone = set() if place[0] == "journeys" else seen - now  # compaction takes older states away
        verdict.unsettled += len(gone) + len(now - seen)
        if gone or now - seen:
            verdict.note(f"{place}: {len(gone)} records seen and gone, {len(now - seen)} never seen while it ran")


async def _outputs(
    verdict: Verdict, expected: Iterable[Output], afterwards: Watcher, *, topics: Topics, identify: Identify
) -> None:
    wanted: Counter[tuple[str, str, str]] = Counter()
    # a customer who was deleted and reappears may get the same request again, with different contents
    values: dict[tuple[str, str, str], list[bytes]] = defaultdict(list)
    order: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for number, out in enumerate(expected):
        key = out.topic, out.customer, out.identity
        wanted[key] += 1
        values[key].append(out.value)
        order[out.topic, out.customer].setdefault(out.identity, number)
    found: Counter[tuple[str, str, str]] = Counter()
    furthest: dict[tuple[str, str], int] = {}
    for topic in (topics.decisions, topics.outreach, topics.exposures, topics.touchpoints, topics.dead_letters):
        for seen in afterwards.of(topic):
            if topic is topics.touchpoints and not seen.life:
                continue  # from the publishers
            key = await _key(seen, topics, identify)
            found[key] += 1
            due = values[key][found[key] - 1 : found[key]] if key in values else []
            if due and due[0] != (seen.value or b""):
                verdict.wrong_states += 1
                verdict.note(f"{key}: other contents than decided")
            place = order[key[0], key[1]].get(key[2])
            if place is not None and topic.name in _ORDERED and found[key] == 1:
                if place < furthest.get(key[:2], -1):
                    verdict.order_breaks += 1
                    verdict.note(f"{key}: after a later one")
                furthest[key[:2]] = max(place, furthest.get(key[:2], -1))
    missing, extra = wanted - found, found - wanted
    verdict.lost += missing.total()
    verdict.duplicated += extra.total()
    for key in [*missing][:2]:
        verdict.note(f"lost: {key}")
    for key in [*extra][:2]:
        verdict.note(f"{'twice' if key in wanted else 'never decided'}: {key}")


async def _key(seen: Seen, topics: Topics, identify: Identify) -> tuple[str, str, str]:
    if seen.topic == topics.touchpoints.name:
        return seen.topic, seen.key, digest(seen.value).hex()
    if seen.topic == topics.dead_letters.name:
        said = {name: value.decode() for name, value in seen.headers}
        prefix = "careline_dead_letter_"
        return seen.topic, "", f"{said[prefix + 'partition']}:{said[prefix + 'offset']}"
    return seen.topic, seen.key, await identify(seen)


async def _states(verdict: Verdict, expected: Expected, live: Watcher, *, topics: Topics, recode: Any) -> None:
    last: dict[str, bytes] = {}
    at: dict[str, int] = defaultdict(int)
    for seen in live.of(topics.journeys):
        mark = GONE if seen.value is None else digest(seen.value)
        history = expected.history.get(seen.key, [])
        if mark not in history and seen.value is not None:
            mark = digest(await recode(seen.value))
        last[seen.key] = mark
        try:
            at[seen.key] = history.index(mark, at[seen.key]) + 1
        except ValueError:
            if mark in history:
                verdict.order_breaks += 1
                verdict.note(f"{seen.key}: a state at offset {seen.offset} was seen before, or is older than the last")
            else:
                verdict.wrong_states += 1
                verdict.note(f"{seen.key}: a state at offset {seen.offset} that the core never passes through")
    for customer, history in expected.history.items():
        if customer not in last:
            verdict.lost += 1
            verdict.note(f"{customer} has no state")
        elif last[customer] != history[-1]:
            verdict.wrong_states += 1
            verdict.note(f"{customer}: the last state is not the core's")


def _zombies(verdict: Verdict, afterwards: Watcher, *, topics: Topics) -> None:
    """Each owner of a partition writes for a while; one that writes again after the next owner began is a zombie."""
    signed = 0
    for topic in (topics.journeys, topics.decisions, topics.outreach, topics.exposures):
        lives: dict[int, list[str]] = defaultdict(list)
        for seen in afterwards.of(topic):
            signed += bool(seen.life)
            owners = lives[seen.partition]
            if owners and owners[-1] == seen.life:
                continue
            if seen.life in owners:
                verdict.zombie_records += 1
                verdict.note(f"{topic.name}[{seen.partition}] offset {seen.offset}: {seen.life} after {owners[-1]}")
            else:
                owners.append(seen.life)
    if not signed and verdict.outputs:
        raise RuntimeError("no record is signed by its worker: this drive could not see a zombie")
