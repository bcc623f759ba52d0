"""Commands that are loaded without what they work with: a page of help needs no client of Kafka.

Python 3.15 has lazy imports of its own; until then this is one mechanism for the whole command line, in the registry of
its commands, so that the modules of the commands import as any other.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_COMMANDS = "processors.cli"
_DEFERRED = (
    *("streams", "processors", "deploy", "schemas.contract", "schemas.compatibility", "mode", "structlog", "uvloop"),
    *("asyncio", "rich.panel", "rich.progress"),
)
_AT_ONCE = (_COMMANDS, "streams.errors", "streams.topics")
"""What commands need to describe themselves, and the exceptions they name."""


@contextmanager
def deferring() -> Iterator[None]:
    """While the block runs, what a command's module imports of these packages is only promised.

    The first use of any such name imports all that its module was promised. Only modules of the command line are
    concerned; what they import is imported as usual.
    """
    importing = builtins.__import__

    def promise(
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        module = str((globals or {}).get("__name__", ""))
        ours = _within(module, _COMMANDS) and module != _COMMANDS
        if not ours or level or not _within(name, *_DEFERRED) or _within(name, *_AT_ONCE):
            return importing(name, globals, locals, fromlist or (), level)
        if not fromlist:
            return _Promise(name, (), {"of": (module, name, "")})
        return SimpleNamespace(**{one: _Promise(one, (), {"of": (module, name, one)}) for one in fromlist})

    builtins.__import__ = promise
    try:
        yield
    finally:
        builtins.__import__ = importing


def loaded(command: F) -> F:
    """The command, which loads all that its module was promised before it runs."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        load(sys.modules[command.__module__])
        return command(*arguments, **options)

    return run  # type: ignore[return-value]


def load(module: ModuleType) -> None:
    """Import what the module was promised, in the places of the promises."""
    names = vars(module)
    for key, value in list(names.items()):
        if isinstance(value, _Promise):
            names[key] = _kept(value)


def _kept(promise: _Promise) -> Any:
    _, source, name = promise.of
    found = importlib.import_module(source)
    if not name:
        return found
    return getattr(found, name) if hasattr(found, name) else importlib.import_module(f"{source}.{name}")


class _Promise(type):
    """Stands for a name until it is used, whatever that is. A class itself, so that ``match`` may name it."""

    of: tuple[str, str, str]

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        return _used(cls)(*arguments, **options)

    def __getattr__(cls, name: str) -> Any:
        return getattr(_used(cls), name)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _used(cls))

    def __iter__(cls) -> Iterator[Any]:
        return iter(_used(cls))

    def __contains__(cls, item: Any) -> bool:
        return item in _used(cls)

    def __getitem__(cls, key: Any) -> Any:
        return _used(cls)[key]

    def __str__(cls) -> str:
        return str(_used(cls))


def _used(promise: _Promise) -> Any:
    load(sys.modules[promise.of[0]])
    return _kept(promise)


def _within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
