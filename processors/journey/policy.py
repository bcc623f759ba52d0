"""What a policy is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from processors.journey.actions import Action, Expose, Recall, Release, Suppress, Want
from processors.journey.playbook import Playbook
from streams.events import JourneyState, Timer


def same_no(known: str | None, new: str) -> bool:
    """Whether a refusal says what the last one said. Who took the slot is told in the moment they took it; later it is
    simply taken."""
    return known == new or (known, new) == ("gave_way", "frequency_cap")


def as_text(moment: datetime | None) -> str:
    """A moment as letters are given it: ISO 8601 to the second; nothing for none."""
    return "" if moment is None else moment.isoformat(timespec="seconds")


Wanted = Want | Suppress | Recall | Release | Expose
"""What a policy may ask for; the guard sees the wants only."""


class Policy(Protocol):
    """One idea of care. All methods are pure and read everything from the state."""

    name: str
    why: Mapping[str, str]
    """Why we serve, by language; shown wherever its outreach is shown."""

    @property
    def answers(self) -> tuple[type[Any], ...]:
        """The kinds of facts that begin its journeys, as far as one can come too late for it."""
        ...

    def concerns(self, state: JourneyState) -> bool:
        """Whether there is anything in the state that the policy could have to do with; where there is not, it is not
        asked further. Most customers are nobody's concern with most of their events."""
        ...

    def wants(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Wanted]:
        """What should be sent or taken back now; a Suppress is a reason of the policy's own not to send."""
        ...

    def after(self, state: JourneyState, action: Action, now: datetime, playbook: Playbook) -> JourneyState:
        """The state once an action of this policy was decided: what the customer now knows."""
        ...

    def is_news(self, state: JourneyState, action: Action) -> bool:
        """Whether the decision is worth recording: the same refusal of the same thing is recorded once."""
        ...

    def timers(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Timer]:
        """When time alone would change what this policy wants; all later than ``now``."""
        ...

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """The state without the journeys that nothing more can be expected of."""
        ...

    def too_late(self, state: JourneyState, event: Any, now: datetime, playbook: Playbook) -> Want | None:
        """What it would have wanted of this fact of the kind that it ``answers``, had it been heard of in time; None
        where it is in time, or would have led to nothing."""
        ...
