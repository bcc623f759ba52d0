"""What Kafka's time of a published record is: the moment, the event's own time, or one for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from processors.cli.exits import Exit, ended
from streams.events import Touchpoint

RecordTime = Callable[[Touchpoint, datetime], datetime]


def record_time_of(said: str) -> RecordTime:
    """What the record's time is, of an event and the time now. Ends the command where ``said`` is none of the three."""
    if said == "now":
        return lambda _, now: now
    if said == "occurred":
        return lambda event, _: event.occurred_at
    try:
        fixed = datetime.fromisoformat(said)
    except ValueError:
        raise ended(
            f"--record-time {said}: use now, occurred, or a time such as 2013-02-08T12:00:00Z", Exit.WRONG
        ) from None
    aware = fixed if fixed.tzinfo is not None else fixed.replace(tzinfo=UTC)
    return lambda _, __: aware
