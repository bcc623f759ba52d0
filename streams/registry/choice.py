"""Which schema registry the settings mean: a server, or one in memory."""

from __future__ import annotations

from streams.config import Settings
from streams.registry.registry import ConfluentRegistry, InMemoryRegistry, Registry

_BY_NAME: dict[str, InMemoryRegistry] = {}


def registry_of(settings: Settings) -> Registry:
    """The registry at ``settings.registry_url``; ``memory://name`` is one in memory, the same for the whole process.

    Raises SettingsError for what is neither.
    """
    name = settings.memory_registry
    return ConfluentRegistry(settings) if name is None else _BY_NAME.setdefault(name, InMemoryRegistry())
