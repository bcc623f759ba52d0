"""Finds the installed policies: the packages in this one, and the entry points of other distributions."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points

import processors.policies
from processors.policies.plugin import Plugin
from streams.errors import SettingsError

GROUP = "careline.policies"
"""The entry point group: ``renewal_reminder = "renewal_reminder:POLICY"``."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset({"foot", "why", "global", "words", "tasks", "contacts", "gestures"})
"""Names of other parts of a playbook, and of shared files of letters."""


@cache
def installed() -> tuple[Plugin, ...]:
    """Return the installed policies in their default order.

    Raises SettingsError if one cannot be loaded, or two have the same name: with a policy missing, decisions would
    differ.
    """
    found: dict[str, tuple[Plugin, str]] = {}
    for where, plugin in (*_built_in(), *_from_entry_points()):
        if not isinstance(plugin, Plugin):
            raise SettingsError(f"{where} is not a policy: it is {type(plugin).__name__}, not Plugin")
        if not _NAME.fullmatch(plugin.name) or plugin.name in _RESERVED:
            raise SettingsError(f"{where}: a policy cannot be called {plugin.name!r}")
        if plugin.name in found:
            raise SettingsError(f"two policies are called {plugin.name}: {found[plugin.name][1]} and {where}")
        found[plugin.name] = (plugin, where)
    return tuple(sorted((plugin for plugin, _ in found.values()), key=lambda one: (one.rank, one.name)))


def names() -> tuple[str, ...]:
    """Return the names of the installed policies, in their order."""
    return tuple(plugin.name for plugin in installed())


def plugin_of(name: str) -> Plugin | None:
    """Return the installed policy of that name, None if there is none."""
    return next((plugin for plugin in installed() if plugin.name == name), None)


def in_sections() -> tuple[Plugin, ...]:
    """Return the installed policies in the order of their sections in the default playbook."""
    return tuple(sorted(installed(), key=lambda plugin: (plugin.section_rank, plugin.name)))


def _built_in() -> Iterator[tuple[str, object]]:
    for module in pkgutil.iter_modules(processors.policies.__path__):
        if module.ispkg:
            name = f"{processors.policies.__name__}.{module.name}"
            yield name, vars(importlib.import_module(name)).get("POLICY")


def _from_entry_points() -> Iterator[tuple[str, object]]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        where = f"the entry point {point.name} = {point.value}"
        try:
            yield where, point.load()
        except Exception as error:
            raise SettingsError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
