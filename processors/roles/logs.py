"""What a role says of itself: structured lines on standard output, and the warnings of libraries among them."""

from __future__ import annotations

import contextlib
import logging
import os
import sys

import structlog

from processors.roles.standing import count_message
from processors.terminal import clean_event


def logs_to(level: str) -> None:
    """From now on the process logs from ``level`` on: debug, info, warning or error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        processors=[
            structlog.processors.add_log_level,
            count_message,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            clean_event,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=lambda *_: _Lines(),
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)


class _Lines:
    """Standard output, each entry by itself. One that cannot be written (the disk is full) is dropped, and the role
    goes on: what it does for customers is worth more than what it says about it."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            os.write(sys.__stdout__.fileno() if sys.__stdout__ is not None else 1, f"{message}\n".encode())

    debug = info = warning = error = critical = exception = msg
