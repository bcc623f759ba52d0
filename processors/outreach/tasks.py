"""A letter to our own people as the record that stands in their queue."""

from __future__ import annotations

from datetime import datetime

from processors.outreach.channels import Letter
from streams.events import AgentTask, OutreachRequested


def task_of(request: OutreachRequested, letter: Letter, now: datetime) -> AgentTask:
    """The task that ``request`` asks for, as it was written; ``now`` is when it is handed over.

    Its id is the outreach's: the same request is the same task.
    """
    return AgentTask(
        task_id=request.outreach_id,
        customer_id=request.customer_id,
        opened_at=now,
        team=letter.address,
        due_at=request.due_at,
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
    )
