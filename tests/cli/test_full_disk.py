"""A log that cannot be written costs nobody their journey."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FULL = Path("/dev/full")

PROGRAM = """
import logging, sys, structlog
from processors.roles.logs import logs_to
logs_to("info", role="journeys", form="text")
for _ in range(1_000):
    structlog.get_logger().info("partition_taken", keys=1)
    logging.getLogger("asyncio").error("a library has something to say")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("the logic failed")
sys.exit(7)
"""


def test_a_full_disk_under_the_log_stops_nothing() -> None:
    """Whatever a role and its libraries log, the role goes on, and ends as it would have ended."""
    with FULL.open("wb") as full:
        ended = subprocess.run([sys.executable, "-c", PROGRAM], stdout=full, stderr=full, check=False)
    assert ended.returncode == 7


def test_what_is_logged_arrives() -> None:
    """Each entry is a line of its own, whole, as soon as it is logged."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    lines = ended.stdout.splitlines()
    assert sum("partition_taken" in line and "keys=1" in line for line in lines) == 1_000
    assert "ZeroDivisionError" in lines
