"""Letters to staff: tasks for a team of agents."""

from __future__ import annotations

from processors.outreach.channels import Letter, Receipt
from processors.outreach.errors import Refused, TryLater


class AgentTaskChannel:
    """Accepts every letter that names a team.

    It calls no provider: the ledger publishes the task in the transaction that records it as sent, so the task exists
    exactly once or not at all. That is why the channel is idempotent.
    """

    provider = "agents"
    idempotent = True

    def __init__(self) -> None:
        self._closed = False

    async def send(self, letter: Letter) -> Receipt:
        """Accept the letter. See Channel.send for what it raises; Refused if the address is not the name of a team."""
        if not letter.address.strip() or not letter.address.isprintable():
            raise Refused("not the name of a team")
        if self._closed:
            raise TryLater("the channel is closed")
        return Receipt(provider=self.provider, message_id=letter.outreach_id)

    async def close(self) -> None:
        """Accept no more letters."""
        self._closed = True
