"""Errors, classified by what to do about them."""

from __future__ import annotations

from typing import Self


class CarelineError(Exception):
    """Base class of all exceptions that Careline raises."""


class SettingsError(CarelineError):
    """A setting is missing or wrong; the message names its variable."""


class InvalidEvent(CarelineError):
    """The caller's event violates the contract. ``field`` names the field at fault; nothing was published."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class Unreadable(CarelineError):
    """A record that no retry makes readable: it goes to the dead-letter topic. ``reason`` is a stable code."""

    def __init__(self, reason: str, detail: str) -> None:
        # a name in a foreign schema may contain surrogates, which headers and logs cannot encode
        detail = detail.encode("utf-8", "backslashreplace").decode()
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class OutputTooLarge(CarelineError):
    """An output is larger than its topic accepts. Sizes in bytes."""

    def __init__(self, topic: str, size: int, most: int) -> None:
        super().__init__(f"{size} bytes for {topic}, which accepts at most {most}")


class Unavailable(CarelineError):
    """A server does not answer; a retry may succeed later."""

    @classmethod
    def of(cls, server: str, address: str, why: object) -> Self:
        """Return the error for a server that does not answer. ``server`` is its kind, such as Kafka; neither
        ``address`` nor ``why`` may contain credentials."""
        return cls(f"{server} at {address} does not answer: {str(why) or type(why).__name__}")

    @classmethod
    def says(cls, server: str, address: str, what: object) -> Self:
        """Return the error for a server that answers with an error that may pass. ``server``, ``address``: as above."""
        return cls(f"{server} at {address}: {what}")

    @classmethod
    def no_topic(cls, name: str) -> Self:
        """Return the error for a topic of the contract that does not exist yet; ``name`` is its full name."""
        return cls(f"there is no topic {name}; create it with: careline topics apply")


class PartitionLost(CarelineError):
    """Another worker owns the partition now, or a transaction failed: discard the state in memory and acquire the
    partition again."""


class PartitionStopped(CarelineError):
    """Most records cannot be read: an operator has to look before the whole topic goes to the dead-letter topic."""


class IncompatibleSchema(CarelineError):
    """The registry rejects a schema under a subject. ``reason`` is the registry's own."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason


class SchemaNotRegistered(CarelineError):
    """The registry does not have our schema under the subject."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject}: our schema is not registered there; run `careline schemas apply`")
        self.subject = subject


class RefusedByServer(CarelineError):
    """A server rejected a valid request; an operator has to change something. The message quotes the server."""
