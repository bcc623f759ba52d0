"""Checks that a change of the core or of the ledger kept its behaviour: one hash over all outputs and states.

``python -m tests.benchmarks.same`` plays the storm day and 45,000 events of the mixed stream through the journeys' core
and, with made-up providers, through the ledger: letters are sent, fail, wait, are retracted and interrupted by crashes,
and their outcomes go back to the journeys. Every output and every state goes into the hash. Run it before and after a
change. ``--out`` writes what was hashed, line by line, to find the first difference. A field that a change adds is
named in ``NEW`` and left out. ``--rounds`` times the core alone, in microseconds of processor time per event.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import heapq
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import msgspec

from processors.journey.core import Advance, advance, wake
from processors.outreach.ledger import LedgerLogic
from processors.outreach.results import Deliver, Delivered, Failed, Postponed, Result, Unknown, Withheld
from processors.playbook import load_playbook
from processors.simulator import STORM_DAY, storm_day
from processors.simulator.journal import Arrival
from streams.clock import from_millis, to_millis
from streams.config import TimeSource
from streams.events import FailureReason, JourneyState, OutreachChannel, OutreachLedgerEntry
from streams.order import due_before, follow
from streams.processor import Incoming, Step
from streams.processor.deadlines import Deadlines
from streams.topics import Topics
from tests.benchmarks.stream import mixed

NEW = frozenset({"OutreachLedgerEntry.phase"})
"""Fields that the hash leaves out, because an earlier version of the code does not have them."""

EVENTS, CUSTOMERS, SEED = 45_000, 2_000, 1

_CRASHES = 997  # one crash per this many results


class Heard:
    """The hash of all outputs and states, and optionally the hashed lines."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._hash = hashlib.sha256()
        self._out = out
        self.lines = 0

    def add(self, now: datetime, record: Any) -> None:
        """Add one output or state at that time; None for a deleted state."""
        kind = type(record).__name__
        plain = msgspec.to_builtins(record)
        if isinstance(plain, dict):
            plain = {name: value for name, value in plain.items() if f"{kind}.{name}" not in NEW}
        line = f"{now.isoformat()} {kind} {json.dumps(plain, sort_keys=True)}"
        self._hash.update(line.encode())
        self.lines += 1
        if self._out is not None:
            self._out.write(f"{line}\n")

    @property
    def digest(self) -> str:
        """The hash so far."""
        return self._hash.hexdigest()


class Play:
    """Runs the journeys and the ledger over a stream, in order of time; results of providers are derived from ids.

    ``entries`` is the current ledger, by outreach id.
    """

    def __init__(self, heard: Heard, *, source: TimeSource) -> None:
        idempotent = {OutreachChannel.WEBHOOK: True, OutreachChannel.PUSH: True, OutreachChannel.SMS: True}
        self._ledger = LedgerLogic(topics=Topics(), idempotent=idempotent, time_source=source)
        self._live = source is TimeSource.WALL
        self._heard = heard
        self._playbook = load_playbook()
        self._states: dict[str, JourneyState] = {}
        self.entries: dict[str, OutreachLedgerEntry] = {}
        self._calls: dict[str, int] = {}
        self._tries: dict[str, int] = defaultdict(int)
        self._queue: list[tuple[datetime, int, str, Any]] = []
        self._order = count()
        self._results = 0

    def run(self, arrivals: Sequence[Arrival]) -> None:
        """Run the events and everything that they lead to, up to the last event."""
        for arrival in arrivals:
            self._at(arrival.at, "event", arrival.event)
        last = arrivals[-1].at
        while self._queue and self._queue[0][0] <= last:
            now, _, what, of = heapq.heappop(self._queue)
            match what:
                case "event":
                    self._journey(
                        advance(self._states.get(of.customer_id), of, now=now, playbook=self._playbook), of, now
                    )
                case "wake" if (state := self._states.get(of)) is not None and state.wake_at == now:
                    self._journey(wake(state, now=now, playbook=self._playbook), state, now)
                case "outreach":
                    entry = self.entries.get(of.outreach_id)
                    incoming = Incoming(record=of, value=b"", headers=[])
                    step = self._ledger.receive(incoming, entry, now, busy=of.outreach_id in self._calls)
                    self._dispatch(of.outreach_id, step, now)
                case "turn" if (entry := self.entries.get(of)) is not None and entry.wake_at == now:
                    self._dispatch(of, self._ledger.wake(of, entry, now, busy=of in self._calls), now)
                case "result" if self._calls.get(of[0]) == of[1]:
                    self._result(*of, now)

    def _at(self, when: datetime, what: str, of: Any) -> None:
        heapq.heappush(self._queue, (when, next(self._order), what, of))

    def _journey(self, step: Advance, about: Any, now: datetime) -> None:
        if step.unchanged:
            return
        self._heard.add(now, step.state)
        if step.state is None:
            del self._states[about.customer_id]
        else:
            self._states[about.customer_id] = step.state
            if step.state.wake_at is not None:
                self._at(step.state.wake_at, "wake", about.customer_id)
        for record in step.outputs:
            self._heard.add(now, record)
            if type(record).__name__ in ("OutreachRequested", "OutreachRetracted"):
                self._at(now, "outreach", record)
            elif hasattr(record, "event_id") and hasattr(record, "source"):
                self._at(now, "event", record)

    def _dispatch(self, key: str, step: Step[OutreachLedgerEntry], now: datetime) -> None:
        if step.withdraw_effects and _chance(f"{key}/withdrawn") % 2:
            self._calls.pop(key, None)  # the other half is with the provider already
        if step.unchanged or step.state is None:
            return
        self._heard.add(now, step.state)
        self.entries[key] = step.state
        if step.state.wake_at is not None:
            self._at(step.state.wake_at, "turn", key)
        for effect in step.effects:
            task: Deliver = effect.task
            self._calls[key] = number = self._tries[key] = self._tries[key] + 1
            takes = timedelta(seconds=_chance(f"{key}/{number}") % 90) if self._live else timedelta()
            self._at(now + takes, "result", (key, number, task))
        sent = {}
        for send in step.sends:
            self._heard.add(now, send.record)
            sent[id(send.record)] = send.record
        for record in sent.values():
            if hasattr(record, "source"):
                self._at(now, "event", record)

    def _result(self, key: str, number: int, task: Deliver, now: datetime) -> None:
        self._results += 1
        if self._results % _CRASHES == 0:
            self._crash(now)
            return
        del self._calls[key]
        entry = self.entries[key]
        self._dispatch(key, self._ledger.completed(key, entry, _result(task, number), now), now)

    def _crash(self, now: datetime) -> None:
        """Interrupt every call in flight, and restart the role."""
        self._calls.clear()
        for key, entry in list(self.entries.items()):
            if entry.wake_at is None:
                continue
            step = self._ledger.resume(key, entry, now)
            if step is not None:
                self._dispatch(key, step, now)


def _chance(of: str) -> int:
    return int.from_bytes(hashlib.blake2b(of.encode(), digest_size=4).digest(), "big")


def _result(task: Deliver, attempt: int) -> Result:
    """The result of a made-up provider for that attempt."""
    channel = task.request.addresses[0].channel if task.request.addresses else OutreachChannel.OTHER
    said: dict[str, Any] = {"channel": channel, "provider": "made-up"}
    again = task.perhaps_by is not None
    match _chance(f"{task.request.outreach_id}/{attempt}/said") % 12:
        case 0 | 1:
            return Postponed(**said, detail="451 try again", perhaps_left=again)
        case 2:
            return Postponed(**said, detail="no answer", perhaps_left=True, retry_after=timedelta(minutes=7))
        case 3:
            return Postponed(
                **said, detail="10 a second", retry_after=timedelta(seconds=40), in_line=True, perhaps_left=again
            )
        case 4:
            return Unknown(**said, detail="connection lost")
        case 5:
            return Failed(**said, reason=FailureReason.REJECTED, detail="550 no such user")
        case 6:
            return Withheld(**said, detail="it is night where the customer is", perhaps_left=again)
        case _:
            return Delivered(**said, message_id=f"<{attempt}@made-up>")


def streams() -> Iterator[tuple[str, Sequence[Arrival]]]:
    """What is played, by name."""
    yield "storm day", storm_day(date=STORM_DAY, seed=SEED).arrivals
    yield f"{EVENTS:,} mixed events", mixed(events=EVENTS, customers=CUSTOMERS).arrivals


def folded(arrivals: Sequence[Arrival]) -> float:
    """Microseconds of processor time an event that the core takes, deadlines and all."""
    playbook = load_playbook()
    states: dict[str, JourneyState | None] = {}
    wakes = Deadlines()
    gc.disable()
    began = time.process_time()
    for arrival in arrivals:
        for millis, key in due_before(wakes, to_millis(arrival.at)):
            if (state := states.get(key)) is not None:
                states[key] = state = wake(state, now=from_millis(millis), playbook=playbook).state
                follow(wakes, key, state)
        key = arrival.event.customer_id
        step = advance(states.get(key), arrival.event, now=arrival.at, playbook=playbook)
        states[key] = step.state
        follow(wakes, key, step.state)
    spent = time.process_time() - began
    gc.enable()
    return 1e6 * spent / len(arrivals)


def main() -> None:
    """Print the hashes, and the times where rounds are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=0, help="time the core so many times, and hash nothing")
    parser.add_argument("--out", type=Path, help="a folder for what was hashed, a file for each stream")
    asked = parser.parse_args()
    for name, arrivals in streams():
        if asked.rounds:
            times = [folded(arrivals) for _ in range(asked.rounds)]
            print(f"{name}: {statistics.median(times):.1f} µs an event", [round(one, 1) for one in times])
            continue
        for source in (TimeSource.WALL, TimeSource.EVENTS):
            file = None if asked.out is None else asked.out / f"{name.replace(' ', '-')}-{source.value}.txt"
            out = None if file is None else file.open("w")
            heard = Heard(out)
            Play(heard, source=source).run(arrivals)
            if out is not None:
                out.close()
            print(f"{name}, {source.value} time: {heard.lines:,} lines, sha256 {heard.digest}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
