"""What can go wrong, named by what to do about it."""

from __future__ import annotations

from typing import Self


class CarelineError(Exception):
    """Root of everything Careline raises."""


class SettingsError(CarelineError):
    """A setting is missing or wrong; the message names its variable."""


class InvalidEvent(CarelineError):
    """The caller's event breaks the contract. ``field`` names the culprit; nothing was published."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class Unreadable(CarelineError):
    """A record that no retry will make readable: to the dead letters. ``reason`` is a stable code."""

    def __init__(self, reason: str, detail: str) -> None:
        # a name in a stranger's schema may hold what no header and no log line can
        detail = detail.encode("utf-8", "backslashreplace").decode()
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class OutputTooLarge(CarelineError):
    """What a record led to is larger than the topic that it is for takes. Sizes in bytes."""

    def __init__(self, topic: str, size: int, most: int) -> None:
        super().__init__(f"{size} bytes for {topic}, which takes {most} at most")


class Unavailable(CarelineError):
    """A server we need does not answer; trying again later may help."""

    @classmethod
    def of(cls, server: str, address: str, why: object) -> Self:
        """``server`` is its kind, as Kafka; ``address`` must hold no credentials, and neither must ``why``."""
        return cls(f"{server} at {address} does not answer: {str(why) or type(why).__name__}")

    @classmethod
    def says(cls, server: str, address: str, what: object) -> Self:
        """It answers, but with an error that may pass. ``server``, ``address``: as above."""
        return cls(f"{server} at {address}: {what}")

    @classmethod
    def no_topic(cls, name: str) -> Self:
        """A topic of the contract that nobody has created yet; ``name`` is its full name."""
        return cls(f"there is no topic {name}; create it with: careline topics apply")


class PartitionLost(CarelineError):
    """Another worker owns the partition now, or a transaction failed: forget what is in memory and take it afresh."""


class PartitionStopped(CarelineError):
    """Most of what arrives cannot be read: a person has to look before the topic drains into the dead letters."""


class IncompatibleSchema(CarelineError):
    """The registry will not take a schema under a subject. ``reason`` is the registry's own."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason


class SchemaNotRegistered(CarelineError):
    """The registry does not have our schema under the subject."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject}: our schema is not registered there; run `careline schemas apply`")
        self.subject = subject


class Refused(CarelineError):
    """A server understood and will not do it; a person has to change something. The message says what it said."""
