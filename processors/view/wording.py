"""One-line descriptions of records for staff, with times in the customer's own zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from streams import events
from streams.clock import in_zone
from streams.durations import span
from streams.events.moments import can_be_meant


def clock_time(moment: datetime | None, zone: tzinfo) -> str:
    """Such as ``Fri 8 Feb 2013, 14:05``; a dash for no time."""
    if moment is None:
        return "–"
    local = in_zone(moment, zone)
    return f"{local:%a} {local.day} {local:%b} {local.year}, {local:%H:%M}"


def words(code: str) -> str:
    """A code as words: ``IN_PERSON`` is ``in person``."""
    return code.replace("_", " ").replace("-", " ").lower()


def summary(record: Any, zone: tzinfo) -> str:
    """What happened, in one line."""
    match record:
        case events.ContactOpened():
            return _said(f"got in touch by {words(record.channel)}", record.matter or record.summary)
        case events.ContactReplied():
            return _said("automatic answer" if record.automated else "was answered", record.summary)
        case events.ContactClosed():
            return f"contact closed: {words(record.resolution)}"
        case events.OrderPlaced():
            return f"ordered: {record.description}"
        case events.OrderShipped():
            known = _known(record.expected_at, record.occurred_at)
            expected = f", expected {clock_time(known, zone)}" if known else ""
            return _said(f"order {record.order_id} is on its way", record.carrier) + expected
        case events.OrderDelivered():
            return f"order {record.order_id} delivered"
        case events.OrderCancelled():
            return _said(f"order {record.order_id} cancelled (by {words(record.by)})", record.reason)
        case events.DelayNoticed() | events.Delay():
            return f"{record.description}: {_delay(record, zone)}"
        case events.DelayEnded():
            return f"the wait for {record.subject_id} is over"
        case events.ItemUnavailable():
            return f"could not have: {record.description}"
        case events.MentionPosted() | events.Mention():
            return _said(f"on {record.platform} ({words(record.sentiment)})", record.text)
        case events.FeedbackGiven():
            score = "" if record.score is None else f" {record.score}"
            return _said(f"feedback {record.kind}{score}", record.text)
        case events.AgentNoted():
            return _said(f"{words(record.kind)} of {record.agent_id}", record.text)
        case events.GestureGiven():
            return (
                f"was given {record.title or words(record.code)} ({record.cost} {record.currency}) by {record.agent_id}"
            )
        case events.AgentTask():
            by = f", by {clock_time(record.due_at, zone)}" if record.due_at is not None else ""
            return f"task for {record.team}{by}: {record.title}"
        case events.AgentTaskDone():
            return _said(f"task done by {record.agent_id or 'somebody'}", record.note)
        case events.ProfileUpdated():
            return "profile updated"
        case events.ConsentChanged() | events.Consent():
            return consent(record)
        case events.ProfilesMerged():
            return f"is the same person as {record.other_customer_id}"
        case events.Decision():
            return f"{decided(record, zone)}: {record.explanation}"
        case events.OutreachRequested():
            return _said(f"outreach requested: {record.template}", record.why)
        case events.OutreachRetracted():
            return f"outreach retracted: {words(record.reason)}"
        case events.OutreachSent():
            return f"sent by {words(record.channel)}"
        case events.OutreachFailed():
            return _said(f"not sent: {words(record.reason)}", record.detail)
        case events.OutreachUncertain():
            return _said("it is uncertain whether it was sent", record.detail)
        case events.OutreachEngaged():
            return _said(f"{words(record.kind)} by {words(record.channel)}", record.detail)
        case events.ExperimentExposed():
            return f"met {record.experiment}: {words(record.arm)}"
        case events.Given():
            return f"was given {words(record.code)} ({record.cost} {record.currency}) by {record.agent_id}"
        case events.Settled():
            until = f" until {clock_time(record.held_until, zone)}" if record.held_until is not None else ""
            return f"{words(record.policy)}, {words(record.occasion)}: {words(record.reason)}{until}"
        case events.Contact():
            state = f"answered {clock_time(record.answered_at, zone)}" if record.answered_at else "not answered yet"
            back = f", came back {clock_time(record.came_back_at, zone)}" if record.came_back_at is not None else ""
            to = f", goes to {record.routed_to}" if record.routed_to is not None else ""
            return _said(f"{words(record.channel)} contact, {state}{back}{to}", record.matter or record.summary)
        case events.Order():
            known = _known(record.promised_at, record.as_of)
            promised = f", promised for {clock_time(known, zone)}" if known else ""
            return f"{record.description}{promised}"
        case events.Wish():
            return f"could not have: {record.description}"
    return type(record).__name__


def decided(decision: events.Decision, zone: tzinfo) -> str:
    """The decision and its reason, such as ``hold until Sat 9 Feb 2013, 08:00 (quiet hours)``."""
    until = f" until {clock_time(decision.hold_until, zone)}" if decision.hold_until is not None else ""
    return f"{words(decision.kind)}{until} ({words(decision.reason)})"


def consent(one: events.Consent | events.ConsentChanged) -> str:
    """Such as ``marketing by email: granted``."""
    by = "on every channel" if one.channel is None else f"by {words(one.channel)}"
    other = one.from_customer_id if isinstance(one, events.Consent) else None
    return f"{words(one.purpose)} {by}: {words(one.status)}" + ("" if not other else f" (given to {other})")


def _delay(record: events.DelayNoticed | events.Delay, zone: tzinfo) -> str:
    because = "" if record.reason is events.DelayReason.OTHER else f" ({words(record.reason)})"
    if record.cancelled:
        return f"cancelled{because}"
    at = record.as_of if isinstance(record, events.Delay) else record.occurred_at
    expected = _known(record.expected_at, at)
    if expected is None:
        return f"late, for an unknown time{because}"
    late = span(expected - record.promised_at)
    return f"{late} late, expected {clock_time(expected, zone)}{because}"


def _known(moment: datetime | None, at: datetime) -> datetime | None:
    """Impossible times in records kept or projected by earlier versions are not shown."""
    return moment if moment is not None and can_be_meant(moment, at) else None


def _said(what: str, text: str | None) -> str:
    if not text:
        return what
    return f"{what}: {text if len(text) <= 160 else text[:159] + '…'}"
