"""Decisions, outreach and its ledger. Each field is described in schemas/outreach/."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from streams.events.types import (
    Address,
    DecisionKind,
    Gesture,
    LedgerPhase,
    LedgerStatus,
    OutreachChannel,
    Purpose,
    QuietHoursInForce,
)


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """One decision about one customer: why they were contacted, or why not."""

    decision_id: str
    customer_id: str
    decided_at: datetime
    kind: DecisionKind
    reason: str
    explanation: str
    policy: str
    playbook_version: str
    journey_id: str
    occasion: str
    outreach_id: str | None = None
    channel: OutreachChannel | None = None
    hold_until: datetime | None = None
    trigger_event_id: str | None = None
    inputs: Mapping[str, str] = {}


class OutreachRequested(Struct, frozen=True, kw_only=True, gc=False):
    """A request to reach the customer now. It contains everything that is needed to do so."""

    outreach_id: str
    customer_id: str
    requested_at: datetime
    decision_id: str
    policy: str
    playbook_version: str
    journey_id: str
    occasion: str
    purpose: Purpose
    addresses: tuple[Address, ...] = ()
    template: str
    locale: str
    time_zone: str
    variables: Mapping[str, str] = {}
    gesture: Gesture | None = None
    why: str
    useful_until: datetime
    revises: str | None = None
    trigger_event_id: str | None = None
    due_at: datetime | None = None
    escalation: bool = False
    quiet_hours: QuietHoursInForce | None = None
    caused_at: datetime | None = None
    items: tuple[Mapping[str, str], ...] = ()


class OutreachRetracted(Struct, frozen=True, kw_only=True, gc=False):
    """A retraction of an outreach that no longer holds: do not send it, and withdraw it where possible."""

    outreach_id: str
    customer_id: str
    retracted_at: datetime
    decision_id: str
    policy: str
    journey_id: str
    reason: str


class AgentTask(Struct, frozen=True, kw_only=True, gc=False):
    """A task for staff about a customer; the source of the staff queue."""

    task_id: str
    customer_id: str
    opened_at: datetime
    team: str
    due_at: datetime | None = None
    title: str
    text: str
    locale: str
    policy: str
    journey_id: str
    occasion: str
    escalation: bool = False
    why: str
    useful_until: datetime
    decision_id: str
    time_zone: str = "UTC"
    addresses: tuple[Address, ...] = ()
    about: str | None = None
    escalates: str | None = None


class ExperimentExposed(Struct, frozen=True, kw_only=True, gc=False):
    """A customer met an experiment, or the holdout of a policy, for the first time."""

    event_id: str
    customer_id: str
    occurred_at: datetime
    experiment: str
    unit: str
    arm: str
    bucket: float
    shares: Mapping[str, float] = {}
    policy: str
    journey_id: str
    decision_id: str | None = None
    playbook_version: str


class OutreachLedgerEntry(Struct, frozen=True, kw_only=True, gc=False):
    """The dispatcher's record of one outreach; written before and after the provider is called."""

    wake_at: datetime | None = None
    outreach_id: str
    customer_id: str
    status: LedgerStatus
    updated_at: datetime
    attempts: int = 0
    channel: OutreachChannel | None = None
    provider: str | None = None
    provider_message_id: str | None = None
    detail: str | None = None
    request: OutreachRequested | None = None
    phase: LedgerPhase = LedgerPhase.OTHER
