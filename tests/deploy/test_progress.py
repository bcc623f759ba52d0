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
    with Live(console) as report:
        with report.fetching("the servers", 154_000_000) as advance:
            advance(77_000_000)
            time.sleep(0.3)  # three times as long as until the screen is drawn again
        report.starting("redis", "redis://127.0.0.1:1", Path("redis.log"))
    assert re.search(r"fetching the servers ━+ +77\.0/154\.0 MB", screen.getvalue())
    *_, fetched, redis = [line for line in screen.getvalue().splitlines() if "servers" in line or "redis" in line]
    assert "fetched the servers (154 MB) in 0." in fetched
    assert "redis://127.0.0.1:1" in redis
    assert "━" not in redis


def test_nobody_is_told_where_nobody_looks() -> None:
    """The tests start stacks too."""
    with Silent() as report, report.fetching("the servers", 1) as advance:
        advance(1)
