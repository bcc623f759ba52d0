"""Checks reports of providers and shops: accepted only for a letter that this customer was sent, on its channel."""

from __future__ import annotations

from streams.events import JourneyState, OutreachChannel, OutreachEngaged, OutreachFailed, Touchpoint
from streams.events.sources import REPORTER


def is_unfounded(state: JourneyState | None, event: Touchpoint) -> bool:
    """Return whether it is a report on a letter that this customer is not known to have been sent, or not on that
    channel.

    An event from a signed link is no report: the link proves that the letter was the customer's, however long ago.
    """
    if not isinstance(event, OutreachEngaged | OutreachFailed) or not event.source.startswith(REPORTER):
        return False
    outreach = () if state is None else state.outreach
    note = next((one for one in outreach if one.outreach_id == event.outreach_id), None)
    if note is None:
        return True
    return event.channel not in (note.channel, *note.channels, OutreachChannel.OTHER)
