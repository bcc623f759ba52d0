"""`make test` says in its last line what it left out for want of a program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.__main__ import last_line, skipped
from tests.monitoring import missing

NEEDY = f"""
import pytest

def test_that_needs_promtool():
    pytest.skip({missing("promtool")!r})

def test_that_needs_it_too():
    pytest.skip({missing("promtool")!r})

def test_that_needs_prometheus():
    pytest.skip({missing("prometheus")!r})

def test_that_is_skipped_for_another_reason():
    pytest.skip("not on a Tuesday")
"""


def test_what_was_left_out_is_one_line_with_the_way_to_install_it(tmp_path: Path) -> None:
    """Each program once, as pytest's own report has them; other skips are not its business."""
    (tmp_path / "test_needy.py").write_text(NEEDY)
    report = tmp_path / "report.xml"
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", f"--rootdir={tmp_path}"]
    done = subprocess.run([sys.executable, *words, "test_needy.py"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    line = last_line(skipped(report))
    assert line == f"3 tests were left out: {missing('promtool')}; {missing('prometheus')}"
    assert "apt-get install prometheus" in line


def test_nothing_is_said_where_nothing_was_left_out(tmp_path: Path) -> None:
    """Nor where pytest could not even write a report."""
    assert last_line(["not on a Tuesday"]) == ""
    assert list(skipped(tmp_path / "none.xml")) == []
    assert last_line([missing("amtool")]).startswith("1 test was left out: amtool is not on the PATH")
