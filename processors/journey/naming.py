"""Names made of parts: occasions, letters, journeys, failures. They are put together and taken apart here alone.

An occasion is what a letter is about within its journey: a kind, and a number where it comes more than once
(``gesture-2``); told once more to another address it is ``recover-again-1``. A letter is named by its policy and what
it says (``delay_care/notice``), a journey by the kind of thing it is about and its name (``wish/lamp-7``).
"""

from __future__ import annotations

from streams.events import FailureReason, Outreach

_NUMBER = "-"
_AGAIN = "-again-"
_PART = "/"
_FAILED = "failed: "


def numbered(kind: str, number: int) -> str:
    """The occasion of that kind and number."""
    return f"{kind}{_NUMBER}{number}"


def kind_of(occasion: str) -> str:
    """What the occasion is, whatever its number. Kinds have no hyphen."""
    return occasion.partition(_NUMBER)[0]


def again(occasion: str, number: int) -> str:
    """The occasion once more, where its letter did not arrive."""
    return f"{occasion}{_AGAIN}{number}"


def is_of(occasion: str, first: str) -> bool:
    """Whether it is that occasion, for the first time or once more."""
    return occasion == first or occasion.startswith(f"{first}{_AGAIN}")


def policy_of(letter: str) -> str:
    """The policy whose letter it is."""
    return letter.partition(_PART)[0]


def says(letter: str) -> str:
    """What the letter says, by its name."""
    return letter.rpartition(_PART)[2]


def journey_about(kind: str, name: str) -> str:
    """The id of a journey about that thing."""
    return f"{kind}{_PART}{name}"


def about(journey_id: str) -> tuple[str, str]:
    """What kind of thing the journey is about, and its name."""
    kind, _, name = journey_id.partition(_PART)
    return kind, name


def failed_for(reason: FailureReason) -> str:
    """The outcome of an outreach that failed, as the state keeps it."""
    return f"{_FAILED}{reason.lower()}"


def failure_of(note: Outreach) -> str | None:
    """Why an outreach failed, in small letters; None where nothing is known of a failure."""
    outcome = note.outcome or ""
    return outcome.removeprefix(_FAILED) if outcome.startswith(_FAILED) else None
