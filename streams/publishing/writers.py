"""Who may write which record to the touchpoints topic: patterns of ``source`` by type of record. Pure.

Publishers state their source themselves; only the broker's access control can verify it. This rule keeps a publisher
that follows the contract from writing types that are not its own (docs/security.md says what else is needed).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import translate
from typing import Annotated, Self

from pydantic import Field, TypeAdapter, ValidationError

from schemas.shown import short
from streams.errors import Unreadable
from streams.events import (
    AgentNoted,
    AgentTaskDone,
    CustomerErased,
    GestureGiven,
    OutreachEngaged,
    OutreachFailed,
    OutreachSent,
    OutreachUncertain,
    ProfilesMerged,
    Touchpoint,
)
from streams.events.sources import GATEWAY, JOURNEYS, OUTREACH, REPORTER
from streams.json_names import unique

NOT_ALLOWED = "not_allowed"
"""The reason of the dead letter."""

_OUTCOMES: Mapping[type, tuple[str, ...]] = {
    OutreachSent: (OUTREACH,),
    OutreachUncertain: (OUTREACH,),
    OutreachFailed: (OUTREACH, f"{REPORTER}*"),
    OutreachEngaged: (GATEWAY, f"{REPORTER}*"),
}
# When two profiles are merged, the journeys role repeats facts of any type to the remaining one.
_EVERYTHING_ELSE = (JOURNEYS,)

STAFF: tuple[type, ...] = (AgentNoted, AgentTaskDone, GestureGiven, ProfilesMerged, CustomerErased)
"""What staff and their systems write. Open to every source until the settings name the company's own sources."""

_PATTERN = Annotated[str, Field(min_length=1, max_length=256)]
_RULES = TypeAdapter(dict[str, Annotated[tuple[_PATTERN, ...], Field(max_length=100)]])
_LONGEST_SOURCE = 1_024


class Writers:
    """The rule in force. A type that has no patterns is open to every source."""

    def __init__(self, patterns: Mapping[type, tuple[str, ...]]) -> None:
        """``patterns`` are those of the settings. Our own roles may always write their own types."""
        every = {
            kind: (*_OUTCOMES.get(kind, _EVERYTHING_ELSE), *patterns.get(kind, ()))
            for kind in _OUTCOMES.keys() | patterns.keys()
        }
        self._patterns = every
        self._compiled = {kind: re.compile("|".join(map(translate, found))) for kind, found in every.items()}
        self.open = tuple(sorted(kind.__name__ for kind in STAFF if kind not in every))
        """Names of the staff types that any source may write."""

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """From JSON: ``{"CustomerErased": ["urn:acme:privacy"], "AgentNoted": ["urn:acme:desk:*"]}``; None: no rules.

        The patterns are shell patterns (``*``, ``?`` and ``[...]``), case-sensitive. Raises ValueError naming the type.
        """
        if text is None or not text.strip():
            return cls({})
        try:
            rules = _RULES.validate_python(json.loads(text, object_pairs_hook=unique))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])[:100]
            raise ValueError(f"{where}: {first['msg']}") from None
        except (json.JSONDecodeError, RecursionError):  # a repeated name raises a ValueError of its own
            raise ValueError('not a JSON object like {"CustomerErased": ["urn:acme:privacy"]}') from None
        known = {kind.__name__: kind for kind in Touchpoint.__args__}
        if unknown := sorted(rules.keys() - known.keys()):
            raise ValueError(f"{short(unknown[0])} is not a touchpoint; known: {', '.join(sorted(known))}")
        return cls({known[name]: patterns for name, patterns in rules.items()})

    def check(self, event: Touchpoint) -> None:
        """Raises Unreadable (``not_allowed``) for a record that its source may not write."""
        allowed = self._compiled.get(type(event))
        if allowed is None or (len(event.source) <= _LONGEST_SOURCE and allowed.match(event.source)):
            return
        kind = type(event)
        names = ", ".join(self._patterns[kind]) or "nobody"
        raise Unreadable(
            NOT_ALLOWED,
            f"source: {short(event.source)} may not write {kind.__name__}; allowed: {names} (CARELINE_WRITERS)",
        )


DEFAULT = Writers({})
"""Without settings: only our own roles write their types; every other type is open to all sources."""
