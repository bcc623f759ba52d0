"""What every reader of the contract's topics passes a record through before it acts on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from streams.errors import InvalidEvent, Unreadable
from streams.publishing.validation import check_touchpoint
from streams.publishing.writers import DEFAULT, Writers
from streams.topics import Topic, Topics


class Admission:
    """The rules for a record that could be decoded: its source may write it, and a touchpoint can be true.

    The journeys, the replay, the view and the measurements admit the same records: what one of them leaves out, for
    whatever reason, the others leave out for the same.
    """

    def __init__(self, topics: Topics, *, writers: Writers = DEFAULT) -> None:
        """``writers``: who may write which touchpoint, on every topic: outcomes have one of their own too."""
        self._touchpoints = topics.touchpoints
        self._writers = writers

    def check(self, record: Any, topic: Topic, *, now: datetime) -> None:
        """``now``: when the record was published. Raises Unreadable with a stable reason: ``not_allowed``, or
        ``invalid_`` and the name of the field that is wrong."""
        self._writers.check(record)
        if topic == self._touchpoints:
            try:
                check_touchpoint(record, now=now)
            except InvalidEvent as why:
                raise Unreadable(f"invalid_{why.field}", str(why)) from why
