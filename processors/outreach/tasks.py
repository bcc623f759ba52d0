"""Turns a letter to staff into the record in their queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from processors.journey.tasking import BETWEEN
from processors.outreach.channels import Letter
from streams.events import Address, AgentTask, OutreachChannel, OutreachRequested


def task_of(request: OutreachRequested, letter: Letter, now: datetime) -> AgentTask:
    """The task that ``request`` asks for, with the rendered text; ``now`` is when it is handed over.

    Its id is the outreach id, so the same request is the same task.
    """
    return AgentTask(
        task_id=request.outreach_id,
        customer_id=request.customer_id,
        opened_at=now,
        team=letter.address,
        due_at=None if request.due_at is None else max(request.due_at, now),
        title=letter.subject,
        text=letter.text,
        locale=letter.locale,
        policy=request.policy,
        journey_id=request.journey_id,
        occasion=request.occasion,
        escalation=request.escalation,
        why=request.why,
        useful_until=request.useful_until,
        decision_id=request.decision_id,
        time_zone=request.time_zone,
        addresses=tuple(_addresses(request.variables.get("ways", ""))),
        about=request.variables.get("about") or request.variables.get("matter") or None,
        escalates=request.variables.get("earlier_task") or None,
    )


def _addresses(ways: str) -> Iterator[Address]:
    for way in ways.split(BETWEEN):
        channel, _, address = way.partition(" ")
        if channel in OutreachChannel.__members__ and address:
            yield Address(channel=OutreachChannel[channel], address=address)
