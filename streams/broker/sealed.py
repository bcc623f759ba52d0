"""What stands for a batch that no consumer can open: one value, which every reader refuses with the reason."""

from __future__ import annotations

SEALED = "unreadable_batch"
"""The reason of the dead letter."""


class Sealed(bytes):
    """The batch's records as they were sent, compressed or not. ``why`` says what keeps them shut."""

    why: str

    def __new__(cls, records: bytes, why: str) -> Sealed:
        """Bytes that know why they are not read."""
        made = super().__new__(cls, records)
        made.why = why
        return made
