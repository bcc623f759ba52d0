"""One screen says how it is, on a terminal of 80 columns as on a wide one, and programs read the same."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from processors.roles.servers import Answer
from processors.status.data import as_data
from processors.status.seen import Recent, Seen
from processors.status.show import ranges, show
from processors.status.workers import workers_of
from processors.terminal import Screen
from tests.status.given import group, member, ops, well


def shown(seen: Seen, width: int) -> list[str]:
    file = io.StringIO()
    show(seen, Screen(file=file, width=width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 120])
def test_all_of_it_is_on_one_screen(width: int) -> None:
    """No line is longer than the terminal, and there are no more lines than it has."""
    lines = shown(well(), width)
    assert lines[0].startswith("All is well   04 May 12:00:00 UTC, asked in 0.4 s")
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    text = "\n".join(lines)
    for part in ("1 broker, controller 1", "9 topics", "subjects, all with our schemas", "12 s ago", "3 quiet hours"):
        assert part in " ".join(text.split()), part


def test_what_needs_a_person_comes_first() -> None:
    """With what to do beside it."""
    seen = well(dead_letters=Recent(count=2, complete=True, by_reason={"unknown_schema": 2}))
    lines = shown(seen, 120)
    assert lines[0].startswith("1 thing needs a person")
    assert lines[2].split("  ")[:2] == ["look", "dead letters: 2 in the last day: 2 unknown_schema"]
    assert "careline dlq list" in lines[2]


def test_a_finding_is_one_line_where_lines_have_no_end() -> None:
    """As for grep: what is the matter, and the way out behind it."""
    seen = well(dead_letters=Recent(count=2, complete=True, by_reason={"unknown_schema": 2}))
    line = "look  dead letters: 2 in the last day: 2 unknown_schema -> careline dlq list; then careline dlq republish"
    assert line in shown(seen, 65_536)


def test_servers_that_are_away_are_named_first_of_all() -> None:
    """Two of them, in the first line."""
    seen = well()
    for name in ("redis", "mail"):
        seen.servers[name] = Answer(server=name, seconds=1, why=f"{name} does not answer")
    assert shown(seen, 120)[0].startswith("redis, mail do not answer")


def test_workers_stand_beside_their_ops_ports() -> None:
    """Where there are several, by the partitions that both name; what cannot be matched stands by itself."""
    members = (member("a", 0, 1), member("b", 2, 3))
    ports = (ops("journeys", 1, partitions=(2, 3)), ops("journeys", 2, partitions=(0, 1)), ops("journeys", 3))
    found = workers_of("journeys", well(groups={"journeys": group(*members)}, ops=ports))
    assert [(one.instance, None if one.ops is None else one.ops.url[-1]) for one in found] == [
        ("a", "2"), ("b", "1"), (None, "3")
    ]  # fmt: skip
    lines = shown(well(groups={"journeys": group(*members)}, ops=ports[:1]), 120)
    [first, second] = [
        line for line in lines if line.startswith(("  journeys", "            running", "            ready"))
    ]
    assert "running" in first
    assert "127.0.0.1:1" in second


def test_ranges_are_short() -> None:
    """Partitions in a row are written as one."""
    assert ranges((0, 1, 2, 3)) == "0-3"
    assert ranges((0, 2, 3, 7)) == "0, 2-3, 7"
    assert ranges(()) == ""


KEYS = {
    "state", "at", "took_seconds", "topic_prefix", "findings", "servers", "brokers", "topics", "schemas", "roles",
    "last_event_at", "waiting_letters", "oldest_overdue_seconds", "dead_letters_last_day",
    "uncertain_letters_last_day", "playbooks", "certificates", "prometheus",
}  # fmt: skip


def test_programs_read_the_same_names_always() -> None:
    """Whatever is known and whatever is not."""
    nothing = as_data(Seen(at=well().at, prefix="careline."))
    everything: dict[str, Any] = json.loads(json.dumps(as_data(well())))
    assert set(nothing) == set(everything) == KEYS
    assert everything["state"] == "well"
    assert everything["roles"]["journeys"]["workers"][0]["partitions"] == [0, 1, 2, 3]
    assert everything["waiting_letters"] == {"quiet_hours": 3, "retry": 0}
    assert nothing["topics"] is None
    assert nothing["roles"]["journeys"]["lag_records"] is None


def test_the_page_documents_every_name() -> None:
    """docs/operating.md has a row for each name at the top, and no other."""
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    section = page.partition("## How is it?")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == KEYS
