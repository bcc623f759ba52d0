"""Reads a playbook from a YAML file, which is validated and, if anything is wrong, rejected as a whole."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from processors.journey.playbook import Playbook
from processors.playbook.agreement import disagreements
from processors.playbook.faults import Misfit, PlaybookRefused, misfits, refused
from processors.playbook.file import whole_file
from processors.playbook.lines import content_of
from processors.playbook.packaged import FRAME, packaged_playbook
from processors.playbook.words import misworded
from streams.errors import SettingsError

MAX_BYTES = 1 << 20
"""The maximum size of a playbook file; a larger one is a mistake."""

PACKAGED = FRAME
"""The path that stands for the packaged playbook; its content is :func:`packaged_playbook`."""

_VERSION_DIGITS = 12


def load_playbook(path: Path | None = None) -> Playbook:
    """Return the playbook in the file that the setting names, or the packaged one.

    Raises PlaybookRefused, a SettingsError, with every fault by line and field.
    """
    if path is None:
        return _packaged()
    try:
        return read_playbook(path)
    except OSError as error:
        raise SettingsError(f"CARELINE_PLAYBOOK: cannot read {path}: {error.strerror}") from error


@cache
def _packaged() -> Playbook:
    """Read the packaged playbook once: it does not change while a program runs."""
    return read_playbook(PACKAGED)


def read_playbook(path: Path) -> Playbook:
    """Return the playbook in the file. Raises PlaybookRefused, and OSError if the file cannot be read."""
    return playbook_from(read_content(path), where=str(path))


def read_content(path: Path) -> bytes:
    """Return the file's bytes, at most MAX_BYTES + 1 of them, so that a larger file is noticed. Raises OSError.

    For PACKAGED, return the frame with the defaults of every installed policy.
    """
    if path == PACKAGED:
        return packaged_playbook().encode()
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def playbook_from(content: bytes, *, where: str) -> Playbook:
    """Return the playbook with that content. Raises PlaybookRefused; ``where`` names the file in its message."""
    if len(content) > MAX_BYTES:
        refused(where, 1, f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        refused(where, content.count(b"\n", 0, error.start) + 1, f"is not text in UTF-8: {error.reason}")
    found = content_of(text)
    if found.data is None:
        if not found.faults:
            refused(where, 1, "is empty")
        raise PlaybookRefused(where, found.faults.values())
    wrong: list[Misfit] = []
    try:
        file = whole_file().model_validate(found.data)
    except ValidationError as error:
        wrong += misfits(error, whole_file())
    wrong += disagreements(found.data)
    wrong += misworded(found.data)
    faults = [*found.faults.values()]
    faults += [found.fault(place, problem) for place, problem in wrong if not found.unread(place)]
    if faults:
        raise PlaybookRefused(where, faults)
    return file.playbook(version_of(content))


def version_of(content: bytes) -> str:
    """Return the version of a playbook with that content."""
    return hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS]
