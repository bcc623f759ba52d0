"""The final checks: every ordinary customer exact, every dead letter with a reason, every letter accounted for."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, defaultdict
from email.parser import BytesHeaderParser
from typing import Any

from processors.demo.readback import OUTREACH_HEADER
from streams import Subscriber
from streams.events import (
    Decision,
    OutreachChannel,
    OutreachFailed,
    OutreachRequested,
    OutreachSent,
    OutreachUncertain,
    Value,
)
from tests.chaos.oracle import Expected, Oracle, identity_of
from tests.chaos.verdict import Verdict, judge
from tests.chaos.watching import Seen
from tests.fuzz.field import ORDINARY, Field, Lean
from tests.fuzz.findings import Finding, Summary

_SHOWN = 5
_ENDS = (OutreachSent, OutreachFailed, OutreachUncertain)


class Tolerant(Oracle):
    """An oracle that tolerates failing steps of odd customers, while ordinary customers must be exact."""

    raised = 0

    def wakes(self, partition: int, customer: str, millis: int) -> None:
        """Fire one deadline; an odd customer's may fail."""
        try:
            super().wakes(partition, customer, millis)
        except Exception:
            self._raised(customer)

    async def take(self, seen: Seen) -> None:
        """Handle the next record of its partition's input."""
        try:
            await self.read(seen)
        except Exception:
            self._raised(seen.key)

    def _raised(self, customer: str) -> None:
        if customer.startswith(ORDINARY):
            raise
        self.raised += 1


async def judged(here: Field, summary: Summary) -> None:
    """Add every fault to the summary."""
    async with Lean(here.settings) as afterwards:
        await afterwards.to_the_end(within=600)
    _dead_letters(summary, afterwards.of(here.settings.topics.dead_letters))
    known = {seen.key for seen in afterwards.of(here.settings.topics.journeys)}
    await _exact(here, summary, afterwards)
    await _letters(here, summary)
    await _shown(here, summary, sorted(key for key in known if not key.startswith(ORDINARY)))


def _dead_letters(summary: Summary, found: list[Seen]) -> None:
    for seen in found:
        said = {name: value.decode(errors="replace") for name, value in seen.headers if value is not None}
        reason = said.get("careline_dead_letter_reason", "")
        detail = said.get("careline_dead_letter_detail", "")
        summary.dead_letters[reason] += 1
        summary.dead_letter_details.setdefault(reason, detail[:300])
        at = f"dead letter {seen.partition}:{seen.offset}"
        if not reason:
            summary.findings.append(Finding("no reason", f"{at} says no reason"))
        elif reason == "unprocessable":
            # a dead letter is correct, but the failure in our code is still a bug of ours
            _once(summary, "unprocessable", f"{at}: {detail[:500]}", key=detail[:80])
        if seen.key.startswith(ORDINARY):
            summary.findings.append(
                Finding("ordinary", f"{at} is of the ordinary customer {seen.key}: {reason} {detail[:300]}")
            )


def _once(summary: Summary, kind: str, what: str, *, key: str) -> None:
    if all(one.kind != kind or one.label != key for one in summary.findings):
        summary.findings.append(Finding(kind, what, label=key))


async def _exact(here: Field, summary: Summary, afterwards: Lean) -> None:
    topics = here.settings.topics
    oracle = Tolerant(topics=topics, partitions=here.settings.partitions, codec=here.codec)
    for seen in afterwards.of(topics.touchpoints):
        await oracle.take(seen)
    for (name, partition), found in afterwards.records.items():
        ours = [one for one in found if one.key.startswith(ORDINARY)]
        afterwards.records[name, partition] = [] if name == "dead-letters" else ours
    found_out = oracle.expected
    expected = Expected(
        events=found_out.events,
        states={key: value for key, value in found_out.states.items() if key.startswith(ORDINARY)},
        outputs=[one for one in found_out.outputs if one.customer.startswith(ORDINARY)],
        timers=found_out.timers,
    )
    expected.history = defaultdict(
        list, {key: value for key, value in found_out.history.items() if key.startswith(ORDINARY)}
    )

    async def identify(seen: Seen) -> str:
        return identity_of(await here.codec.decode(seen.value))

    async def recode(value: bytes) -> bytes:
        state: Any = await here.codec.decode(value)
        return here.codec.encode(topics.journeys, state)

    try:
        verdict: Verdict = await judge(
            expected, afterwards, afterwards, topics=topics, identify=identify, recode=recode
        )
    except RuntimeError as error:  # the journeys role wrote nothing at all
        summary.findings.append(Finding("not exact", str(error)))
        return
    summary.customers = verdict.states
    if not verdict.clean:
        counts = {
            name: getattr(verdict, name)
            for name in ("lost", "duplicated", "order_breaks", "wrong_states", "zombie_records")
        }
        said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        summary.findings.append(Finding("not exact", f"ordinary customers: {said}; {'; '.join(verdict.examples)}"))


class _Told(Value, frozen=True, kw_only=True):
    outreach_id: str
    sent_by: OutreachChannel | None


async def _letters(here: Field, summary: Summary) -> None:
    topics = here.settings.topics
    asked: Counter[str] = Counter()
    ends: dict[str, list[_Told]] = defaultdict(list)
    async with Subscriber(
        here.settings, topics.outreach.name, topics.outcomes.name, topics.decisions.name, until_end=True
    ) as all_:
        async for message in all_:
            record = message.record
            if isinstance(record, Decision):
                if record.reason == "policy_failed":
                    summary.policies_failed[f"{record.policy}: {record.occasion}"] += 1
                    _once(
                        summary,
                        "policy failed",
                        f"{record.policy}: {record.explanation}",
                        key=f"{record.policy} {record.occasion}",
                    )
                continue
            if not getattr(record, "customer_id", "").startswith(ORDINARY):
                continue
            if isinstance(record, OutreachRequested):
                asked[record.outreach_id] += 1
            elif isinstance(record, _ENDS):
                by = record.channel if isinstance(record, OutreachSent) else None
                ends[record.outreach_id].append(_Told(outreach_id=record.outreach_id, sent_by=by))
    mails = await asyncio.to_thread(_mails, here)
    summary.letters = sum(mails[one] for one in asked)
    wrong = Counter[str]()
    for outreach in asked:
        told = ends.get(outreach, [])
        due = 1 if told and told[0].sent_by is OutreachChannel.EMAIL else 0
        if len(told) != 1:
            wrong[f"{len(told)} ends instead of one"] += 1
        elif mails[outreach] != due:
            wrong[f"in the mailbox {mails[outreach]} times instead of {due}"] += 1
    summary.findings += [Finding("letters", f"{count} ordinary letters: {what}") for what, count in wrong.items()]


def _mails(here: Field) -> Counter[str]:
    parser = BytesHeaderParser()
    found: Counter[str] = Counter()
    for file in here.mail.glob("*.eml"):
        with file.open("rb") as letter:
            found[str(parser.parse(letter)[OUTREACH_HEADER])] += 1
    return found


async def _shown(here: Field, summary: Summary, customers: list[str]) -> None:
    """Run `careline customer` for each odd customer, in a separate process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fuzz.showing", env={**here.env, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(json.dumps(customers).encode())
    lines = [json.loads(line) for line in out.splitlines()]
    summary.odd_customers_shown = len({one["customer"] for one in lines})
    if process.returncode or summary.odd_customers_shown != len(customers):
        shown = f"{summary.odd_customers_shown} of {len(customers)} odd customers were shown"
        summary.findings.append(Finding("not shown", f"{shown}; the command ended with {process.returncode}"))
    failed = [one for one in lines if one["code"] not in (0, 4) or one["error"]]
    for one in failed[:_SHOWN]:
        what = f"careline customer {one['customer']!r} {one['options']}: exit code {one['code']}, {one['error']}"
        _once(summary, "not shown", what, key=one["error"][:60])
    if len(failed) > _SHOWN:
        summary.findings.append(Finding("not shown", f"{len(failed)} odd customers in all"))
