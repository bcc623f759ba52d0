"""Seen from the provider's side, a dispatcher that is killed tells the truth; one with a planted bug is found out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest

from deploy.local import Stack
from deploy.local.mail_sink import Mode
from processors.outreach.role import LIMITS
from streams.events import OutreachChannel, OutreachUncertain
from streams.processor.failpoints import Point
from tests.chaos.crew import Strike, Worker
from tests.chaos.provider import CALM, Row, fault, strike
from tests.chaos.receivers import mail_server
from tests.live.outreach import Surroundings, outreach_requests, publish, told
from tests.live.reading import until

IDEMPOTENT, PLAIN = "webhook, idempotent", "webhook, not idempotent"

live = pytest.mark.live


@pytest.mark.parametrize(
    ("outcomes", "status", "shown", "wrong"),
    [
        (["OutreachSent"], "SENT", 1, False),
        (["OutreachFailed"], "FAILED", 0, False),
        (["OutreachFailed"], "EXPIRED", 0, False),
        (["OutreachUncertain"], "UNCERTAIN", 0, False),
        (["OutreachUncertain"], "UNCERTAIN", 1, False),
        ([], "INTENT", 0, True),
        ([], None, 0, True),
        ([], "SENT", 1, True),
        (["OutreachSent", "OutreachUncertain"], "SENT", 1, True),
        (["OutreachSent", "OutreachSent"], "SENT", 1, True),
        (["OutreachSent"], "INTENT", 1, True),
        (["OutreachSent"], "SENT", 0, True),
        (["OutreachFailed"], "FAILED", 1, True),
        (["OutreachUncertain"], "SENT", 1, True),
    ],
)
def test_what_counts_as_accounted_for(outcomes: Sequence[str], status: str | None, shown: int, wrong: bool) -> None:
    """One end, the same in the outcomes and the ledger, and true of what the customer was shown."""
    assert (fault(outcomes, status, shown) is not None) is wrong


async def struck(stack: Stack, provider: str, point: Point, *, bug: str | None = None) -> Row:
    """A drive in which the one worker is killed at this point, the ninth time that it is there."""
    return await strike(
        stack, provider, CALM[provider](1), [Strike(point, 9)], rng=random.Random(1), instances=("a",), bug=bug
    )


@live
async def test_who_takes_a_letter_twice_as_once_gets_every_letter_once(stack: Stack) -> None:
    """Killed behind a call, the dispatcher calls an idempotent receiver again: nothing is lost, twice or in doubt."""
    row = await struck(stack, IDEMPOTENT, Point.AFTER_CALL)
    assert row.clean, row
    assert row.kills == 1
    assert row.sent == row.requests > 9
    assert row.repeated > 0


@live
async def test_elsewhere_what_is_in_doubt_is_on_record(stack: Stack) -> None:
    """Killed behind a call, the dispatcher calls nobody twice who would show it twice, and says what is in doubt."""
    row = await struck(stack, PLAIN, Point.AFTER_CALL)
    assert row.clean, row
    assert row.kills == 1
    assert 0 < row.uncertain <= LIMITS.effects * 4
    assert (row.failed, row.sent + row.uncertain) == (0, row.requests)
    assert row.repeated == 0


@live
@pytest.mark.parametrize(
    ("bug", "point"),
    [
        ("outcome_before_call", Point.AFTER_OUTCOME),
        ("call_before_intent", Point.BEFORE_COMMIT),
        ("called_again", Point.AFTER_CALL),
    ],
)
async def test_a_planted_bug_is_found_out(stack: Stack, bug: str, point: Point) -> None:
    """A dispatcher that breaks one of the ledger's rules does not pass."""
    row = await struck(stack, PLAIN, point, bug=bug)
    assert row.kills == 1, row
    assert row.duplicated + row.unaccounted > 0, row


async def counted(worker: Worker) -> str:
    """What the worker tells Prometheus."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{worker.port}/metrics")).text


@live
async def test_a_letter_in_doubt_is_seen_everywhere(stack: Stack, tmp_path: Any) -> None:
    """In the outcomes, in the ledger and in the metrics of the worker that found it; and it is in the mailbox once."""
    async with mail_server(tmp_path, trouble=Mode.OK, seed=1) as server:
        around = await Surroundings.on(stack, prefix="chaos-doubt", smtp_url=server.url)
        (request,) = requests = outreach_requests(
            1, customers=1, channel=OutreachChannel.EMAIL, address="{customer}@mail.example", seed=1
        )
        await publish(around.settings, requests)
        worker = Worker(around.env, instance="a", role="outreach")
        worker.arm(at=Point.AFTER_CALL)
        try:
            await worker.start()
            await worker.ended(within=60)
            worker.arm()
            await worker.start()
            found = await until(lambda: told(around.settings), lambda seen: seen.ended(requests))
            assert found.outcomes == {request.outreach_id: [OutreachUncertain.__name__]}
            assert found.ledger == {request.outreach_id: "UNCERTAIN"}
            assert 'careline_outreach_outcomes_total{channel="EMAIL",outcome="uncertain"} 1.0' in await counted(worker)
            assert server.shown(requests) == {request.outreach_id: 1}
        finally:
            with suppress(AssertionError):
                await worker.stop()
            await worker.kill()
            worker.forget()
