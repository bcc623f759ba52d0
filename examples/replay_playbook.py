"""Replay a playbook: what another one would have decided about the airline's passengers. Needs no server.

    python examples/replay_playbook.py

For what is on the topics of a running system, `careline replay --playbook NEW` does the same.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from processors.cli.publish import read_line
from processors.journey.playbook import Playbook
from processors.testing import Scenario, playbook
from streams.events import Touchpoint

AIRLINE = Path(__file__).parent / "airline" / "touchpoints.py"
IN_FORCE = playbook()
NEW = playbook(delay_care={"flight": {"threshold": "90m"}})


def passengers() -> dict[str, list[Touchpoint]]:
    """The touchpoints of each passenger, in the order of time."""
    printed = subprocess.run([sys.executable, str(AIRLINE)], capture_output=True, check=True).stdout
    found: defaultdict[str, list[Touchpoint]] = defaultdict(list)
    for line in printed.splitlines():
        event = read_line(line, now=datetime.now(UTC))
        found[event.customer_id].append(event)
    return found


def decided(events: list[Touchpoint], under: Playbook) -> list[str]:
    """What was decided about delays, up to two days after the last touchpoint."""
    scenario = Scenario(under)
    scenario.now = events[0].occurred_at
    scenario.after(*events).when_time_passes_to(events[-1].occurred_at + timedelta(days=2))
    found = (one for one in scenario.decisions if one.policy == "delay_care")
    return [f"{one.decided_at:%d %b %H:%M} {one.kind.lower()} {one.occasion}: {one.reason}" for one in found]


def main() -> None:
    """Print each passenger whom the new playbook treats otherwise: - for what is decided now, + for what would be."""
    for passenger, events in passengers().items():
        before, after = decided(events, IN_FORCE), decided(events, NEW)
        if before != after:
            print(passenger)
            print("".join(f"  - {line}\n" for line in before if line not in after), end="")
            print("".join(f"  + {line}\n" for line in after if line not in before), end="")


if __name__ == "__main__":
    main()
