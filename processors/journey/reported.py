"""What providers and shops report of a letter: believed only of one that this customer had, on its channel."""

from __future__ import annotations

from streams.events import JourneyState, OutreachChannel, OutreachEngaged, OutreachFailed, Touchpoint
from streams.events.sources import REPORTER


def is_unfounded(state: JourneyState | None, event: Touchpoint) -> bool:
    """Whether it is a report of no letter that this customer is known to have had, or not on that channel.

    What a signed link says is no report: the link proves that the letter was the customer's, however long ago.
    """
    if not isinstance(event, OutreachEngaged | OutreachFailed) or not event.source.startswith(REPORTER):
        return False
    outreach = () if state is None else state.outreach
    note = next((one for one in outreach if one.outreach_id == event.outreach_id), None)
    if note is None:
        return True
    return event.channel not in (note.channel, *note.channels, OutreachChannel.OTHER)
