"""Derives cases from contacts: one matter is one case, on however many channels the customer contacts us. Cases are not
stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from processors.journey.naming import about, journey_about
from streams.clock import to_millis
from streams.events import Channel, Contact, JourneyState, Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An open case. ``opened_at``: since when the customer has been waiting for a person. ``closed_before``: when a
    previous contact on it was answered and closed; None if none was."""

    journey_id: str
    matter: str | None
    contacts: tuple[Contact, ...]
    """The open contacts, the earliest first."""
    channel: Channel
    summary: str
    opened_at: datetime
    answered: bool
    closed_before: datetime | None

    @property
    def subject(self) -> str:
        """The subject of decisions on this case, as text."""
        return f"case {self.matter or self.contacts[0].contact_id}"


def open_cases(state: JourneyState) -> tuple[Case, ...]:
    """Return the customer's open cases, the oldest first."""
    together: dict[str, list[Contact]] = {_name(contact): [] for contact in state.contacts if contact.closed_at is None}
    if not together:
        return ()
    for contact in state.contacts:
        name = _name(contact)
        if name in together:
            together[name].append(contact)
    cases = [_case(name, contacts) for name, contacts in together.items()]
    return tuple(sorted(cases, key=lambda case: (case.opened_at, case.journey_id)))


def told_of(state: JourneyState, case: Case) -> dict[str, str]:
    """Return the variables that every letter and task about a case uses."""
    return {
        "name": state.profile.name or "",
        "customer_id": state.customer_id,
        "channel": case.channel.value,
        "matter": case.matter or "",
        "summary": case.summary,
        "opened_at": case.opened_at.isoformat(timespec="seconds"),
    }


def given_up(state: JourneyState, journey_id: str) -> bool:
    """Return whether the customer abandoned the case unanswered, judging by the contacts that are still kept."""
    name = about(journey_id)[1].rpartition("/")[0]
    last = max((one for one in state.contacts if _name(one) == name), key=lambda one: one.as_of, default=None)
    return last is not None and last.resolution is Resolution.ABANDONED


def _name(contact: Contact) -> str:
    return f"matter/{contact.matter}" if contact.matter else f"contact/{contact.contact_id}"


def _case(name: str, contacts: list[Contact]) -> Case:
    running = sorted(
        (one for one in contacts if one.closed_at is None), key=lambda one: (one.opened_at, one.contact_id)
    )
    begin = running[0].opened_at
    ends = [end for end in map(_settled_at, contacts) if end is not None and end <= begin]
    settled = max(ends, default=None)
    # a customer who gave up unanswered and contacts us again has been waiting since the first attempt
    tried = [
        one.opened_at
        for one in contacts
        if one.closed_at is not None and one.replied_at is None and (settled is None or one.opened_at > settled)
    ]
    begin = min(begin, *tried) if tried else begin
    anchor = f"{begin:%Y-%m-%d}" if settled is None else str(to_millis(settled))
    return Case(
        journey_id=journey_about("case", f"{name}/{anchor}"),
        matter=running[0].matter,
        contacts=tuple(running),
        channel=running[0].channel,
        summary=next((one.summary for one in running if one.summary), ""),
        opened_at=begin,
        answered=any(one.replied_at is not None and one.replied_at >= begin for one in contacts),
        closed_before=settled,
    )


def _settled_at(contact: Contact) -> datetime | None:
    """Return when the contact was closed after a person had answered it; None if it was not."""
    if contact.closed_at is None:
        return contact.closed_before
    if contact.replied_at is None or contact.resolution is Resolution.TRANSFERRED:
        return None
    return contact.closed_at
