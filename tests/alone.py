"""A drive or a measurement run by itself: on a stack of its own, or on one that is up already; its figures as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from deploy.local import Stack, running_stack

F = TypeVar("F")


def run_alone(parser: argparse.ArgumentParser, run: Callable[[Stack, argparse.Namespace], Awaitable[F]]) -> F:
    """Run it with what the command line says, print its figures (a dataclass), and return them."""
    parser.add_argument("--home", type=Path, help="a stack that is up already; else one is started and taken down")
    given = parser.parse_args()

    async def figures_of(stack: Stack) -> F:
        return await run(stack, given)

    with tempfile.TemporaryDirectory(prefix="careline-alone-") as fresh:
        home = given.home or Path(fresh)
        with running_stack(home, keep=given.home is not None, purge=given.home is None) as stack:
            figures: Any = asyncio.run(figures_of(stack))
    json.dump(asdict(figures), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return figures  # type: ignore[no-any-return]
