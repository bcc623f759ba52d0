"""What a person sees while the servers are fetched and started."""

import io
import re
import time
from pathlib import Path

from rich.console import Console

from deploy.local.progress import Live, Plain, Silent


def test_a_log_says_what_is_fetched_and_how_long_it_took() -> None:
    """Two lines, however many bytes; a failure has its own message instead of the second."""
    lines: list[str] = []
    with Plain(lines.append) as report, report.fetching("the servers", 154_000_000) as advance:
        advance(154_000_000)
    assert lines[0] == "fetching the servers (once, 154 MB)"
    assert lines[1].startswith("fetched in ")


def test_a_terminal_shows_a_bar_for_what_is_fetched_and_none_for_what_is_started() -> None:
    """With the bytes that are here and the bytes there are; once all are here, a line is left of it."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    bar = re.compile(r"fetching the servers ━+ +77\.0/154\.0 MB")
    with Live(console) as report:
        with report.fetching("the servers", 154_000_000) as advance:
            advance(77_000_000)
            until = time.monotonic() + 20
            while not bar.search(screen.getvalue()) and time.monotonic() < until:
                time.sleep(0.02)
        report.starting("redis", "redis://127.0.0.1:1", Path("redis.log"))
    shown = screen.getvalue()
    assert bar.search(shown)
    assert re.search(r"fetched the servers \(154 MB\) in \d+\.\d s\n", shown)
    last = shown.rpartition("\x1b[2K")[2]
    assert "redis://127.0.0.1:1" in last
    assert "━" not in last


def test_nobody_is_told_where_nobody_looks() -> None:
    """The tests start stacks too."""
    with Silent() as report, report.fetching("the servers", 1) as advance:
        advance(1)
