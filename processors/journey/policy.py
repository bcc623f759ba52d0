"""The interface of a policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from processors.journey.actions import Action, Expose, Recall, Release, Suppress, Want
from processors.journey.playbook import Playbook
from streams.events import JourneyState, Timer


def same_no(known: str | None, new: str) -> bool:
    """Return whether a refusal repeats the previous one. A cap that another policy used up in the same step is recorded
    as "gave_way"; a later refusal by that cap counts as the same."""
    return known == new or (known, new) == ("gave_way", "frequency_cap")


def as_text(moment: datetime | None) -> str:
    """Format a moment as letters take it: ISO 8601 to the second; "" for None."""
    return "" if moment is None else moment.isoformat(timespec="seconds")


Wanted = Want | Suppress | Recall | Release | Expose
"""What a policy may ask for; only the Wants pass through the guard."""


class Policy(Protocol):
    """One idea of care. All methods are pure and read everything from the state."""

    name: str
    why: Mapping[str, str]
    """Why we serve, by language; shown with all of its outreach."""

    @property
    def answers(self) -> tuple[type[Any], ...]:
        """The types of facts that begin its journeys and can come too late for it."""
        ...

    def concerns(self, state: JourneyState) -> bool:
        """Return whether the state has anything that the policy could act on; if not, its other methods are not called.
        Most customers concern no policy with most of their events."""
        ...

    def wants(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Wanted]:
        """Return what should be sent or retracted now; a Suppress is the policy's own reason not to send."""
        ...

    def after(self, state: JourneyState, action: Action, now: datetime, playbook: Playbook) -> JourneyState:
        """Return the state after an action of this policy was decided, with what the customer now knows."""
        ...

    def is_news(self, state: JourneyState, action: Action) -> bool:
        """Return whether the decision should be recorded: the same refusal of the same want is recorded once."""
        ...

    def timers(self, state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Timer]:
        """Return when time alone would change what this policy wants; all later than ``now``."""
        ...

    def lapse(self, state: JourneyState, now: datetime, playbook: Playbook) -> JourneyState:
        """Return the state after ending the journeys that have timed out."""
        ...

    def too_late(self, state: JourneyState, event: Any, now: datetime, playbook: Playbook) -> Want | None:
        """Return what the policy would have wanted of this fact, of a type in ``answers``, had it arrived in time; None
        if it is in time, or would have led to nothing."""
        ...
