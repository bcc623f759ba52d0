"""``python -m tests.fuzz.planted FAULT``: the journeys role with a planted fault, which the drive must find."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from processors.cli import run
from processors.roles.journeys import JourneyLogic
from streams.events import AgentNoted

_CODE = 41


def exits() -> None:
    """An odd customer's note ends the process."""
    os._exit(_CODE)


def hangs() -> None:
    """An odd customer's note blocks its partition for ever."""
    time.sleep(3_600)


def raises() -> None:
    """An odd customer's note fails its step."""
    raise ValueError("planted")


FAULTS: dict[str, Callable[[], None]] = {"exits": exits, "hangs": hangs, "raises": raises}


def main() -> None:
    """Run the role."""
    fault, receive = FAULTS[sys.argv[1]], JourneyLogic.receive

    def received(self: JourneyLogic, incoming: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(incoming.record, AgentNoted) and "odd" in incoming.record.customer_id:
            fault()
        return receive(self, incoming, *arguments, **named)

    JourneyLogic.receive = received  # type: ignore[method-assign]
    run.journeys()


if __name__ == "__main__":
    main()
