"""The stand-in for a batch that cannot be decompressed: one value, which every reader refuses with the reason."""

from __future__ import annotations

SEALED = "unreadable_batch"
"""The dead letter's reason."""


class Sealed(bytes):
    """The batch's records as they were sent, compressed or not. ``why`` says why they cannot be read."""

    why: str

    def __new__(cls, records: bytes, why: str) -> Sealed:
        """Bytes with the reason why they are not read."""
        made = super().__new__(cls, records)
        made.why = why
        return made
