"""Secrets that sign what leaves us: refused where others know them or can guess them."""

from __future__ import annotations

from streams.errors import SettingsError

_SHORTEST = 16
_FEWEST_CHARACTERS = 8  # different ones
_PUBLISHED = frozenset({"for-trying-it-on-this-machine-only"})  # what anybody could read in our compose file


def check_secret(secret: str, setting: str, *, stays_here: bool) -> None:
    """``stays_here``: what it signs leads to this machine only. Raises SettingsError, without the secret."""
    if len(secret) < _SHORTEST:
        raise SettingsError(f"{setting}: at least {_SHORTEST} characters are wanted")
    if stays_here:
        return
    if secret in _PUBLISHED:
        raise SettingsError(f"{setting}: this one is published, and what it signs leaves this machine")
    if len(set(secret)) < _FEWEST_CHARACTERS:
        raise SettingsError(f"{setting}: can be guessed; at least {_FEWEST_CHARACTERS} different characters are wanted")
