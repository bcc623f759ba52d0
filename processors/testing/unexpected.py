"""Composes the message of a failing test: what was expected, what was decided instead, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from processors.journey.asking import concerned
from processors.journey.core import FOLDED
from processors.journey.playbook import Playbook
from processors.journey.recording import Output
from processors.letters.wording import Written
from processors.testing.lines import lines_of
from streams.events import Decision, JourneyState

_NOTHING = "nothing"


class Lived(Protocol):
    """The result of a scenario."""

    state: JourneyState | None
    now: datetime
    outputs: list[Output]
    handling: str
    cause: str
    playbook: Playbook


def unexpected(scenario: Lived, expected: Sequence[str]) -> str:
    """Return the message that other decisions were made than expected, in several lines."""
    return "\n".join(_unexpected(scenario, expected))


def _unexpected(scenario: Lived, expected: Sequence[str]) -> Iterator[str]:
    decided = lines_of(scenario.outputs)
    yield f"at {scenario.now:%d %b %Y %H:%M} UTC, when {scenario.cause}:"
    yield "expected"
    found = [line.text for line in decided]
    for wanted in expected or (_NOTHING,):
        yield f"{_mark('-', wanted, found)} {wanted}"
    yield "but decided"
    for line in decided:
        yield f"{_mark('+', line.text, expected)} {line.text}"
        if line.decision is not None:
            yield from (f"      {word}" for word in _why(line.decision))
    if not decided:
        yield f"+ {_NOTHING}"
        yield from (f"      {word}" for word in _why_nothing(scenario))
    if sorted(found) == sorted(expected):
        yield "(the same, in another order)"
    for timer in scenario.state.timers if scenario.state is not None else ():
        yield f"next: {timer.policy} is asked again at {timer.due_at:%d %b %Y %H:%M} UTC"


def _mark(sign: str, line: str, others: Sequence[str]) -> str:
    return " " if line in others else sign


def _why(decision: Decision) -> Iterator[str]:
    yield f"{decision.policy}: {decision.explanation or decision.reason}"
    inputs = ", ".join(f"{name} {value}" for name, value in decision.inputs.items() if value)
    if inputs:
        yield inputs


def _why_nothing(scenario: Lived) -> Iterator[str]:
    if scenario.handling != FOLDED:
        yield f"the fact changed nothing: {scenario.handling}"
    elif scenario.state is None:
        yield "nothing is known of the customer"
    else:
        asked = ", ".join(policy.name for policy in concerned(scenario.state, (), scenario.playbook))
        yield f"asked, and wanted nothing new: {asked}" if asked else "no policy has anything to do with the customer"


def unexpected_letter(letters: Sequence[Written], words: Sequence[str]) -> str | None:
    """Return what the latest letter does not say, and the letter; None if it says everything."""
    if not letters:
        return "no letter was requested"
    letter = letters[-1]
    missing = [word for word in words if word not in letter.subject and word not in letter.text]
    if not missing:
        return None
    quoted = ", ".join(repr(word) for word in missing)
    return f"the letter does not say {quoted}\n\nSubject: {letter.subject}\n\n{letter.text}"
