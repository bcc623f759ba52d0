"""All tests, in two processes beside each other: what is live, on one stack, and everything else.

``python -m tests [PYTEST OPTION ...]``. The live half is shown while it runs, the other one after it. Exit codes as
pytest's: the first of the two that is not 0; a half in which the options leave no test counts only if both are empty.
Where a program is missing that some tests need, the last line says what was left out and how to install it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from tests.monitoring import left_out

NO_TESTS = 5
_HALVES = ("not live", "live")


def main(options: list[str]) -> int:
    """Run both halves; the exit code."""
    with tempfile.TemporaryFile() as told, tempfile.TemporaryDirectory() as results:
        reports = [Path(results, f"{number}.xml") for number in range(len(_HALVES))]
        others, live = (
            [sys.executable, "-m", "pytest", "-q", "--durations=15", f"--junitxml={report}", "-m", half, *options]
            for half, report in zip(_HALVES, reports, strict=True)
        )
        beside = subprocess.Popen(others, stdout=told, stderr=subprocess.STDOUT)
        try:
            codes = [subprocess.run(live, check=False).returncode]
            print("\nand what needs no server:", flush=True)
            codes.append(beside.wait())
        finally:
            beside.terminate()  # whoever interrupts one half interrupts both
            beside.wait()
        told.seek(0)
        sys.stdout.buffer.write(told.read())
        sys.stdout.flush()
        if line := last_line(reason for report in reports for reason in skipped(report)):
            print(line, flush=True)
    if codes == [NO_TESTS, NO_TESTS]:
        return NO_TESTS
    return next((code for code in codes if code not in (0, NO_TESTS)), 0)


def skipped(report: Path) -> Iterator[str]:
    """Why each test was skipped that was, by a report in JUnit's format; nothing if pytest wrote none."""
    if report.exists():
        for found in ElementTree.parse(report).iter("skipped"):
            yield found.get("message", "")


def last_line(reasons: Iterable[str]) -> str:
    """What was left out for want of a program, and how to install that; "" if nothing was."""
    skips = list(reasons)
    programs = left_out(skips)
    count = sum(1 for reason in skips if left_out([reason]))
    tests = "1 test was" if count == 1 else f"{count} tests were"
    return f"{tests} left out: {'; '.join(programs)}" if programs else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
