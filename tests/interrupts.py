"""For programs that a test interrupts."""

from __future__ import annotations

import signal


def hears_interrupts() -> None:
    """To be run in a child before its program: a shell's background job has its interrupts ignored, and so would all
    that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
