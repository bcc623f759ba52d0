"""The playbook of a test: the one that comes with Careline or one from a file, with sections of the test's own."""

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
    """The playbook in the file, or the one that comes with Careline, with these sections changed.

    A section is written as in the file and laid over what is there: a mapping changes the entries that it names,
    anything else takes the place of what was there, and None takes it out::

        playbook(delay_care={"flight": {"threshold": "1h"}}, quiet_hours=None)

    It is checked as any playbook is. Raises PlaybookRefused, naming every fault by its field; OSError where the file
    cannot be read.
    """
    content = read_content(path or PACKAGED)
    if sections:
        found = content_of(content.decode("utf-8"))
        content = json.dumps(_laid_over(found.data, sections), default=str).encode()
    return _checked(content, where=f"{path or PACKAGED}{', changed' if sections else ''}")


def with_letters(known: Playbook, letters: Texts) -> Playbook:
    """The playbook, and letters besides: those of a policy that is not installed. Raises ValueError for one that could
    not be written."""
    if faults := check_texts(letters):
        raise ValueError("; ".join(str(fault) for fault in faults))
    texts = {**known.texts, **letters}
    return dataclasses.replace(known, texts=texts, languages=languages_of(texts))


@lru_cache(maxsize=64)
def _checked(content: bytes, *, where: str) -> Playbook:
    return playbook_from(content, where=where)


def _laid_over(known: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(known) if isinstance(known, Mapping) else {}
    for name, change in changes.items():
        if change is None:
            laid.pop(name, None)
        else:
            laid[name] = _laid_over(laid.get(name), change) if isinstance(change, Mapping) else change
    return laid
