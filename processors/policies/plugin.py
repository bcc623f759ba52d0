"""What a policy brings, besides its letters: a package has one ``Plugin`` and names it ``POLICY``."""

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
"""Places in a playbook file, as ``("caps", 0, "most")``, each with what is wrong there."""


def as_it_is(rules: Any) -> Any:
    """The rules: their fields are the section's."""
    return rules


def nothing_known(state: JourneyState, now: datetime, playbook: Playbook) -> Iterable[Known]:
    """Nothing."""
    return ()


def no_misfits(data: Any) -> Misfits:
    """Nothing is wrong."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A policy that can be installed. Its package holds, where there are any, its letters in ``letters/``, with
    examples in ``letters/examples.yaml``, and its part of the default playbook in ``defaults.yaml``."""

    policy: Policy
    """What it decides. Its name is that of the section, of its letters and in every decision."""
    package: str
    """The import package that holds it."""
    rules: type[Rules]
    """What the decisions read of a playbook."""
    section: Any
    """How its section is checked: a pydantic model, or an annotated mapping of such."""
    made: Callable[[Any, str], Rules]
    """From the checked section and the playbook's currency, the rules."""
    when: str
    """In which case it acts, and ``what`` it does: for the table in the documents."""
    what: str
    title: str = ""
    """As a page calls it; made of the name where it is empty."""
    required: bool = False
    """Whether a playbook without its section is refused."""
    rank: int = 1_000
    """Where the playbook does not say: who goes first where only one policy can have something; the lower does."""
    section_rank: int = 1_000
    """The place of its section in the default playbook and on the page."""
    as_section: Callable[[Any], Any] = as_it_is
    """From the rules, what the section says; its dataclasses' fields are entries."""
    page: Callable[[Any, Any, str], Iterable[Block]] | None = None
    """From the rules, the plain section and the currency, the page; None where a list of its entries will do."""
    misfits: Callable[[Any], Misfits] = no_misfits
    """What in a playbook file, however wrong the rest of it is, does not agree with its own section."""
    knows: Callable[[JourneyState, datetime, Playbook], Iterable[Known]] = nothing_known
    """What it can tell of a customer besides."""
    counts_gestures_of_staff: bool = False
    """Whether what employees give is its concern, and told among its figures."""

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.policy.name

    @property
    def heading(self) -> str:
        """The title on a page: ``Delay care``."""
        return self.title or self.name.replace("_", " ").capitalize()
