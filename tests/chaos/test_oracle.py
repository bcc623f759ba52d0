"""The oracle notices what it is there to notice: every kind of difference by its name, and nothing where none is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from streams.avro.codec import Codec
from streams.clock import to_millis
from streams.config import Settings
from streams.events import replace as changed
from streams.processor.intake import partition_of
from tests.chaos.oracle import GONE, Expected, Oracle, Output, identity_of
from tests.chaos.stories import stream
from tests.chaos.verdict import Verdict, judge
from tests.chaos.watching import Seen, Watcher
from tests.streams.given import TOPICS, prepared

EVENTS = 2_000
PARTITIONS = 4
Tamper = Callable[[Watcher], object]


@dataclass(frozen=True, slots=True)
class Run:
    """What has to come out, and a reader that saw exactly that."""

    codec: Codec
    expected: Expected
    seen: Watcher


@pytest.fixture(scope="module", name="run")
async def a_run() -> Run:
    """A run in which nothing goes wrong."""
    codec, _ = await prepared()
    oracle = Oracle(topics=TOPICS, partitions=PARTITIONS, codec=codec)
    offsets = dict.fromkeys(range(PARTITIONS), 0)
    seen = Watcher(Settings())
    states: list[tuple[str, bytes]] = []
    for at, event in itertools.islice(stream(1), EVENTS):
        home = partition_of(event.customer_id.encode(), PARTITIONS)
        value = codec.encode(TOPICS.touchpoints, event)
        known = len(oracle.expected.history[event.customer_id])
        await oracle.read(Seen("touchpoints", home, offsets[home], to_millis(at), event.customer_id, value, ""))
        offsets[home] += 1
        if len(oracle.expected.history[event.customer_id]) > known:
            states.append((event.customer_id, oracle.expected.states.get(event.customer_id, GONE)))
    for number, out in enumerate(oracle.expected.outputs):
        home = partition_of(out.customer.encode(), PARTITIONS)
        add(seen, out.topic, home, out.customer, out.value, number)
    # those whose last step was a timer's: the last state, once more
    states += oracle.expected.states.items()
    last: dict[str, bytes] = {}
    for number, (customer, state) in enumerate(states):
        if last.get(customer) != state:
            home = partition_of(customer.encode(), PARTITIONS)
            add(seen, "journeys", home, customer, None if state == GONE else state, number)
        last[customer] = state
    return Run(codec, oracle.expected, seen)


async def verdict(run: Run, tamper: Tamper | None = None, *, live: Tamper | None = None) -> Verdict:
    """What is said of the run with something wrong in it; ``live`` only in what was seen while it ran."""
    codec = run.codec
    during, afterwards = Watcher(Settings()), Watcher(Settings())
    for watcher in (during, afterwards):
        for at, found in run.seen.records.items():
            watcher.records[at] = list(found)
    if tamper is not None:
        tamper(during)
        tamper(afterwards)
    if live is not None:
        live(during)

    async def identify(seen: Seen) -> str:
        return identity_of(await codec.decode(seen.value))

    async def recode(value: bytes) -> bytes:
        state: Any = await codec.decode(value)
        return codec.encode(TOPICS.journeys, state)

    return await judge(run.expected, during, afterwards, topics=TOPICS, identify=identify, recode=recode)


def add(watcher: Watcher, topic: str, partition: int, key: str, value: bytes | None, offset: int) -> None:
    """A record as a worker wrote it."""
    watcher.records[topic, partition].append(Seen(topic, partition, offset, 0, key, value, "1.1.0"))


def place(watcher: Watcher, topic: str) -> list[Seen]:
    """The records of the partition of the topic that has most."""
    return max((found for (name, _), found in watcher.records.items() if name == topic), key=len)


async def test_a_perfect_run_is_clean(run: Run) -> None:
    """Where everything is as it should be nothing is said, and there was something to say it of."""
    found = await verdict(run)
    assert found.clean, found
    assert found.outputs > 100
    assert found.timers > 20
    assert found.states > 50


@pytest.mark.parametrize("topic", ["decisions", "outreach", "exposures", "touchpoints"])
async def test_a_lost_record_is_noticed(run: Run, topic: str) -> None:
    """One decision, one letter, one forwarded fact that is not there."""
    found = await verdict(run, lambda seen: place(seen, topic).pop(len(place(seen, topic)) // 2))
    assert (found.lost, found.duplicated) == (1, 0)


@pytest.mark.parametrize("topic", ["decisions", "outreach", "exposures", "touchpoints"])
async def test_a_doubled_record_is_noticed(run: Run, topic: str) -> None:
    """One that is there twice."""
    found = await verdict(run, lambda seen: place(seen, topic).append(replace(place(seen, topic)[0], offset=10**6)))
    assert (found.lost, found.duplicated) == (0, 1)


async def test_a_customers_decisions_in_another_order_are_noticed(run: Run) -> None:
    """Two decisions about one customer, the wrong way round."""

    def swap(seen: Watcher) -> None:
        found = place(seen, "decisions")
        first = next(one for one in found if sum(other.key == one.key for other in found) > 1)
        a, b = [at for at, one in enumerate(found) if one.key == first.key][:2]
        found[a], found[b] = replace(found[b], offset=found[a].offset), replace(found[a], offset=found[b].offset)

    found = await verdict(run, swap)
    assert found.order_breaks == 1
    assert (found.lost, found.duplicated, found.wrong_states) == (0, 0, 0)


async def test_a_state_that_goes_back_is_noticed(run: Run) -> None:
    """A reader saw an earlier state after a later one."""

    def back(seen: Watcher) -> None:
        found = place(seen, "journeys")
        customer = next(one.key for one in found if sum(other.key == one.key for other in found) > 2)
        earlier, *_, last = [one for one in found if one.key == customer]
        found.append(replace(earlier, offset=10**6))
        found.append(replace(last, offset=10**6 + 1))

    found = await verdict(run, back)
    assert found.order_breaks == 2


async def test_a_state_of_the_past_at_the_end_is_noticed(run: Run) -> None:
    """The last state of a customer is not the last."""

    def drop(seen: Watcher) -> None:
        found = place(seen, "journeys")
        found.remove(next(one for one in reversed(found) if sum(other.key == one.key for other in found) > 1))

    assert (await verdict(run, drop)).wrong_states == 1


async def test_a_state_the_core_never_passes_through_is_noticed(run: Run) -> None:
    """Somebody else's state under this customer's name."""

    def mix(seen: Watcher) -> None:
        found = [one for one in place(seen, "journeys") if one.value is not None]
        wrong = replace(found[0], key=found[-1].key, offset=10**6)
        place(seen, "journeys").insert(0, wrong)

    assert (await verdict(run, mix)).wrong_states == 1


async def test_a_customer_without_a_state_is_noticed(run: Run) -> None:
    """Nobody is forgotten."""

    def forget(seen: Watcher) -> None:
        found = place(seen, "journeys")
        gone = found[0].key
        found[:] = [one for one in found if one.key != gone]

    assert (await verdict(run, forget)).lost == 1


async def test_a_zombie_is_noticed(run: Run) -> None:
    """One owner writes, another takes over, the first writes two records more."""

    def haunt(seen: Watcher) -> None:
        found = place(seen, "outreach")
        for at in range(len(found) // 3, len(found) - 2):
            found[at] = replace(found[at], life="2.1.0")

    found = await verdict(run, haunt)
    assert found.zombie_records == 2
    assert not found.clean


async def test_what_was_seen_and_is_gone_is_noticed(run: Run) -> None:
    """A reader saw what was never committed."""
    found = await verdict(run, live=lambda seen: add(seen, "outreach", 0, "nobody", b"uncommitted", 10**6))
    assert found.unsettled == 1


async def test_a_drive_that_could_not_see_zombies_is_no_drive(run: Run) -> None:
    """Records that nobody signed prove nothing."""

    def unsigned(seen: Watcher) -> None:
        for found in seen.records.values():
            found[:] = [replace(one, life="") for one in found]

    with pytest.raises(RuntimeError, match="signed"):
        await verdict(run, unsigned)


async def test_other_contents_than_decided_are_noticed(run: Run) -> None:
    """The same decision with another reason in words."""
    at = next(at for at, one in enumerate(place(run.seen, "decisions")) if one.value is not None)
    decided: Any = await run.codec.decode(place(run.seen, "decisions")[at].value)
    other = run.codec.encode(TOPICS.decisions, changed(decided, explanation="because"))

    def tamper(seen: Watcher) -> None:
        place(seen, "decisions")[at] = replace(place(seen, "decisions")[at], value=other)

    assert (await verdict(run, tamper)).wrong_states == 1


async def test_somebody_forgotten_and_heard_of_again_is_met_anew(run: Run) -> None:
    """The same exposure a second time, later: both are as decided, and the wrong way round they are not."""
    seen = place(run.seen, "exposures")[0]
    met: Any = await run.codec.decode(seen.value)
    later = run.codec.encode(TOPICS.exposures, changed(met, occurred_at=met.occurred_at + timedelta(days=1)))
    twice = [*run.expected.outputs, Output("exposures", seen.key, met.event_id, later)]
    run = replace(run, expected=replace(run.expected, outputs=twice))

    def again(watcher: Watcher) -> None:
        add(watcher, "exposures", seen.partition, seen.key, later, 10**6)

    def swapped(watcher: Watcher) -> None:
        again(watcher)
        found = place(watcher, "exposures")
        found[0], found[-1] = replace(found[0], value=later), replace(found[-1], value=seen.value)

    assert (await verdict(run, again)).clean
    assert (await verdict(run, swapped)).wrong_states == 2
