"""The in-memory twin of the real channels: keeps every letter, and fails as planned."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from processors.outreach.channels import Letter, Receipt
from processors.outreach.errors import Refused, TryLater


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned failure. ``arrived``: the letter reaches the customer and only the answer is lost."""

    error: BaseException
    arrived: bool = False


class RecordingChannel:
    """A channel without a provider.

    ``calls`` has every letter handed over, in order, including failed ones; ``seen`` has what reached the customer:
    on an idempotent channel each ``outreach_id`` once, otherwise as often as it was accepted.
    """

    def __init__(self, *, provider: str = "recording", idempotent: bool = False) -> None:
        self.provider = provider
        self.idempotent = idempotent
        self.calls: list[Letter] = []
        self.seen: list[Letter] = []
        self.closed = False
        self._plan: deque[Planned | None] = deque()

    def plan(self, *outcomes: BaseException | Planned | None) -> None:
        """The results of the next calls, one each; None is success. Unplanned calls succeed."""
        self._plan.extend(Planned(outcome) if isinstance(outcome, BaseException) else outcome for outcome in outcomes)

    async def send(self, letter: Letter) -> Receipt:
        """Keep the letter, or fail as planned."""
        if self.closed:
            raise TryLater("the channel is closed")
        self.calls.append(letter)
        if not letter.address or not letter.address.isprintable():
            raise Refused("not an address")
        planned = self._plan.popleft() if self._plan else None
        if planned is not None and not planned.arrived:
            raise planned.error
        if not (self.idempotent and any(earlier.outreach_id == letter.outreach_id for earlier in self.seen)):
            self.seen.append(letter)
        if planned is not None:
            raise planned.error
        return Receipt(provider=self.provider, message_id=letter.outreach_id)

    async def close(self) -> None:
        """Refuse every further letter."""
        self.closed = True
