"""How a role tells a Prometheus on the same machine where to scrape it: a file of file_sd while it runs."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import structlog

from processors.settings import Settings

log = structlog.get_logger()

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


@contextlib.contextmanager
def announced(role: str, settings: Settings, port: int | None) -> Iterator[None]:
    """For the duration of the block, ``CARELINE_OPS_TARGETS`` has a file with the address of the role's ops port.

    Of a role that was killed it stays, so that Prometheus notices; the next one of its name replaces it. A role without
    an ops port, and a directory that cannot be written, cost a warning.
    """
    directory = settings.ops_targets
    if directory is None:
        yield
        return
    if port is None:
        log.warning(
            "not_monitored", role=role, why="Prometheus cannot see this role without a port: set CARELINE_OPS_PORT"
        )
        yield
        return
    file = directory / f"{quote(f'{settings.topic_prefix}{role}-{settings.instance}', safe='')}.json"
    host = _EVERYWHERE.get(settings.ops_host, settings.ops_host)
    text = json.dumps([{"targets": [f"{host}:{port}"], "labels": {"role": role}}]) + "\n"
    try:
        _write(file, text)
    except OSError as error:
        log.warning("not_monitored", role=role, setting="CARELINE_OPS_TARGETS", path=str(file), error=error)
    try:
        yield
    finally:
        # Another worker of the same name may have replaced it.
        with contextlib.suppress(OSError):
            if file.read_text(encoding="utf-8") == text:
                file.unlink()


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Prometheus reads what ends in .json, and must never see half of it.
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
