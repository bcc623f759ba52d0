"""Composes and parses names: occasions, letters, journeys, failures. No other module does.

An occasion names a letter within its journey: a kind, and a number if it can come more than once (``gesture-2``); a
resend to another address is ``recover-again-1``. A letter is named by its policy and its content
(``delay_care/notice``), a journey by the kind of thing it is about and that thing's name (``wish/lamp-7``).
"""

from __future__ import annotations

from streams.events import FailureReason, Outreach

_NUMBER = "-"
_AGAIN = "-again-"
_PART = "/"
_FAILED = "failed: "


def numbered(kind: str, number: int) -> str:
    """Return the occasion of that kind and number."""
    return f"{kind}{_NUMBER}{number}"


def kind_of(occasion: str) -> str:
    """Return the occasion's kind, without its number. Kinds have no hyphen."""
    return occasion.partition(_NUMBER)[0]


def again(occasion: str, number: int) -> str:
    """Return the occasion of the resend with that number, for a letter that did not arrive."""
    return f"{occasion}{_AGAIN}{number}"


def is_of(occasion: str, first: str) -> bool:
    """Return whether the occasion is ``first`` or a resend of it."""
    return occasion == first or occasion.startswith(f"{first}{_AGAIN}")


def policy_of(letter: str) -> str:
    """Return the letter's policy."""
    return letter.partition(_PART)[0]


def says(letter: str) -> str:
    """Return the last part of the letter's name, which names its content."""
    return letter.rpartition(_PART)[2]


def journey_about(kind: str, name: str) -> str:
    """Return the id of the journey about that thing."""
    return f"{kind}{_PART}{name}"


def about(journey_id: str) -> tuple[str, str]:
    """Return the kind and name of the thing that the journey is about."""
    kind, _, name = journey_id.partition(_PART)
    return kind, name


def failed_for(reason: FailureReason) -> str:
    """Return the outcome of a failed outreach, as the state stores it."""
    return f"{_FAILED}{reason.lower()}"


def failure_of(note: Outreach) -> str | None:
    """Return why an outreach failed, in lower case; None if no failure is known."""
    outcome = note.outcome or ""
    return outcome.removeprefix(_FAILED) if outcome.startswith(_FAILED) else None
