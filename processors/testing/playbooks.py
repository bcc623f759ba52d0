"""Makes a test's playbook: the packaged one or one from a file, with changed sections."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from processors.journey.playbook import Playbook
from processors.letters.sources import Texts
from processors.letters.texts import check_texts
from processors.playbook import PACKAGED, playbook_from
from processors.playbook.languages import languages_of
from processors.playbook.lines import content_of
from processors.playbook.loading import read_content


def playbook(path: Path | None = None, /, **sections: Any) -> Playbook:
    """Return the playbook in the file, or the packaged one, with these sections changed.

    A section is written as in the file and merged with the existing one: a mapping changes the entries that it names,
    any other value replaces the existing one, and None removes it::

        playbook(delay_care={"flight": {"threshold": "1h"}}, quiet_hours=None)

    It is validated like any playbook. Raises PlaybookRefused with every fault by its field, and OSError if the file
    cannot be read.
    """
    content = read_content(path or PACKAGED)
    if sections:
        found = content_of(content.decode("utf-8"))
        content = json.dumps(_merged(found.data, sections), default=str).encode()
    return _checked(content, where=f"{path or PACKAGED}{', changed' if sections else ''}")


def with_letters(known: Playbook, letters: Texts) -> Playbook:
    """Return the playbook with additional letters, for a policy that is not installed. Raises ValueError for an invalid
    letter."""
    if faults := check_texts(letters):
        raise ValueError("; ".join(str(fault) for fault in faults))
    texts = {**known.texts, **letters}
    return dataclasses.replace(known, texts=texts, languages=languages_of(texts))


@lru_cache(maxsize=64)
def _checked(content: bytes, *, where: str) -> Playbook:
    return playbook_from(content, where=where)


def _merged(known: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(known) if isinstance(known, Mapping) else {}
    for name, change in changes.items():
        if change is None:
            laid.pop(name, None)
        else:
            laid[name] = _merged(laid.get(name), change) if isinstance(change, Mapping) else change
    return laid
