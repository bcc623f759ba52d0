"""Checks the secrets that sign links and codes: refuses those that are published or easy to guess."""

from __future__ import annotations

from streams.errors import SettingsError

_SHORTEST = 16
_FEWEST_CHARACTERS = 8  # distinct characters
_PUBLISHED = frozenset({"for-trying-it-on-this-machine-only"})  # published in our compose file


def check_secret(secret: str, setting: str, *, stays_here: bool) -> None:
    """``stays_here``: what the secret signs leads to this machine only. Raises SettingsError, which does not quote the
    secret."""
    if len(secret) < _SHORTEST:
        raise SettingsError(f"{setting}: must have at least {_SHORTEST} characters")
    if stays_here:
        return
    if secret in _PUBLISHED:
        raise SettingsError(f"{setting}: this secret is published; it may only sign links to this machine")
    if len(set(secret)) < _FEWEST_CHARACTERS:
        raise SettingsError(f"{setting}: too easy to guess; use at least {_FEWEST_CHARACTERS} different characters")
