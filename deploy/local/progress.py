"""Shows the start of a stack: a line for each part, live on a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column, Table


class Report(AbstractContextManager["Report"], Protocol):
    """Receives every step, from several threads."""

    def note(self, text: str) -> None:
        """Report something about the whole stack."""

    def fetching(self, what: str, size: int) -> AbstractContextManager[Callable[[int], None]]:
        """A context for a download of `size` bytes; yields a function to call with every further number of bytes."""

    def starting(self, part: str, address: str, log: Path) -> None:
        """A part is being started."""

    def ready(self, part: str, address: str, log: Path) -> None:
        """A part answers."""


class Plain:
    """Prints one line for each event, for logs and pipes."""

    def __init__(self, write: Callable[[str], None] = print) -> None:
        self._write = write
        self._begun: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def note(self, text: str) -> None:
        """Print it."""
        self._write(text)

    @contextmanager
    def fetching(self, what: str, size: int) -> Iterator[Callable[[int], None]]:
        """Print that the download begins, and how long it took."""
        self._write(f"fetching {what} (once, {size / 1e6:,.0f} MB)")
        begun = time.monotonic()
        yield lambda count: None
        self._write(f"fetched in {time.monotonic() - begun:.1f} s")

    def starting(self, part: str, address: str, log: Path) -> None:
        """Remember the time; the line is printed when the part is ready."""
        self._begun[part] = time.monotonic()

    def ready(self, part: str, address: str, log: Path) -> None:
        """Print its address, how long it took, and its log."""
        seconds = time.monotonic() - self._begun.get(part, time.monotonic())
        self._write(f"{part:<12} ready in {seconds:4.1f} s  {address}  (log: {short(log)})")


class Silent(Plain):
    """Prints nothing."""

    def __init__(self) -> None:
        super().__init__(lambda text: None)


class _Fetched(ProgressColumn):
    """A bar and the bytes for a download; nothing for a part that is being started."""

    def __init__(self) -> None:
        super().__init__()
        self._columns = (BarColumn(bar_width=24), DownloadColumn())

    def render(self, task: Task) -> RenderableType:
        """The bar and the bytes side by side."""
        if not task.fields.get("fetched"):
            return ""
        row = Table.grid(padding=(0, 1))
        row.add_row(*(column(task) for column in self._columns))
        return row


class Live:
    """Shows on a terminal a bar for a download, and a spinner for each part that is being started."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✔[/]"),
            TextColumn("{task.description}", table_column=Column(overflow="fold")),
            _Fetched(),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print it above the spinners."""
        self._progress.console.print(text, highlight=False, markup=False)

    @contextmanager
    def fetching(self, what: str, size: int) -> Iterator[Callable[[int], None]]:
        """Show a bar, and replace it by a line at the end."""
        task = self._progress.add_task(f"fetching {escape(what)}", total=size, fetched=True)
        begun = time.monotonic()
        yield lambda count: self._progress.advance(task, count)
        self._progress.remove_task(task)
        self.note(f"fetched {what} ({size / 1e6:,.0f} MB) in {time.monotonic() - begun:.1f} s")

    def starting(self, part: str, address: str, log: Path) -> None:
        """Start a spinner."""
        self._tasks[part] = self._progress.add_task(self._line(part, address, log), total=1)

    def ready(self, part: str, address: str, log: Path) -> None:
        """End the spinner."""
        self._progress.update(self._tasks[part], completed=1, description=self._line(part, address, log))

    @staticmethod
    def _line(part: str, address: str, log: Path) -> str:
        return f"[bold]{part:<12}[/] {escape(address)}  [dim]log: {escape(short(log))}[/]"


def report_on(console: Console) -> Report:
    """Spinners on a terminal, plain lines elsewhere."""
    return (
        Live(console)
        if console.is_terminal
        else Plain(lambda text: console.print(text, soft_wrap=True, highlight=False, markup=False))
    )


def short(path: Path) -> str:
    """The path relative to the working directory, if that is shorter."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
