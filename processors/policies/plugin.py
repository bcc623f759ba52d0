"""The interface of an installable policy: its package has one ``Plugin``, named ``POLICY``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from processors.journey.known import Known
from processors.journey.playbook import Playbook, Rules
from processors.journey.policy import Policy
from processors.policies.pages import Block
from streams.events import JourneyState

Misfits = Iterable[tuple[tuple[str | int, ...], str]]
"""Locations in a playbook file, as ``("caps", 0, "most")``, each with its problem."""


def as_it_is(rules: Any) -> Any:
    """Return the rules, for a section whose entries are the rules' fields."""
    return rules


def nothing_known(state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Known]:
    """Return nothing: the policy has no information for the customer page."""
    return ()


def no_misfits(data: Any) -> Misfits:
    """Return no problems."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A policy that can be installed. Its package may also contain its letters in ``letters/``, with examples in
    ``letters/examples.yaml``, and its part of the default playbook in ``defaults.yaml``."""

    policy: Policy
    """The decisions. The policy's name is also that of its section and its letters, and is in every decision."""
    package: str
    """The import package that contains it."""
    rules: type[Rules]
    """The type of the rules that the decisions read from a playbook."""
    section: Any
    """Validates its section: a pydantic model, or an annotated mapping of such."""
    made: Callable[[Any, str], Rules]
    """Makes the rules from the validated section and the playbook's currency."""
    when: str
    """When it acts; with ``what`` it does, this is its row in the documents."""
    what: str
    title: str = ""
    """Its title on a page; derived from the name if empty."""
    required: bool = False
    """Whether a playbook without its section is rejected."""
    rank: int = 1_000
    """Its priority if the playbook does not set one, where only one policy can have something; the lowest comes
    first."""
    section_rank: int = 1_000
    """The position of its section in the default playbook and on the page."""
    as_section: Callable[[Any], Any] = as_it_is
    """Makes the section from the rules; the fields of their dataclasses become entries."""
    page: Callable[[Any, Any, str], Iterable[Block]] | None = None
    """Makes its part of the page from the rules, the plain section and the currency; None for a list of the section's
    entries."""
    misfits: Callable[[Any], Misfits] = no_misfits
    """Returns what else in a playbook file conflicts with its section, however invalid the rest of the file is."""
    knows: Callable[[JourneyState, datetime, Playbook], Iterable[Known]] = nothing_known
    """Returns its information for the customer page."""
    counts_gestures_of_staff: bool = False
    """Whether it handles gestures of employees, so that they are shown among its figures."""

    shown_task: str = ""
    """The occasion of the task that a demonstration shows, the one with the widest ``reach``; empty for none."""

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.policy.name

    @property
    def heading(self) -> str:
        """Its title on a page, such as ``Delay care``."""
        return self.title or self.name.replace("_", " ").capitalize()
