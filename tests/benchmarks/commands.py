"""Measures commands that need no server: `python -m tests.benchmarks.commands`. It gives figures and is no test."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS = (
    "--help",
    "publish --help",
    "publish --example DelayNoticed",
    "topics list",
    "schemas list",
    "schemas check",
    "playbook check",
)


def seconds(command: str) -> float:
    """The time from the start of the process to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "processors.cli", *command.split()], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the median of each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    for command in COMMANDS:
        taken = [seconds(command) for _ in range(runs)]
        print(f"careline {command:<32} {statistics.median(taken):6.2f} s")


if __name__ == "__main__":
    main()
