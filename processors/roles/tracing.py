"""The traces of a role as a process: OpenTelemetry's SDK, where its standard variables name an endpoint."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

import structlog

log = structlog.get_logger()

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Any of them turns traces on."""

_END_WITHIN = timedelta(seconds=3)
_LIBRARIES = ("opentelemetry.exporter", "opentelemetry.sdk.trace.export", "opentelemetry.sdk._shared_internal")


class RoleTraces(Protocol):
    """What the process has set up, to be ended with it."""

    def end(self) -> None:
        """Send what there is, for three seconds at most."""


def asked_for(environ: Mapping[str, str]) -> bool:
    """Whether the environment turns traces on."""
    return (
        any(environ.get(name, "").strip() for name in ENDPOINTS)
        and environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"
        and environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() != "none"
    )


def traces_of(role: str, *, instance: str, environ: Mapping[str, str]) -> RoleTraces | None:
    """Set up the process's tracer provider, where ``environ`` asks for it; None where it does not.

    Sampler, resource, headers, timeout, queue and so on are those of OpenTelemetry's own variables. What is wrong in
    them turns traces off, is logged, and harms nothing else.
    """
    if not asked_for(environ):
        return None
    try:
        # slow to import
        from opentelemetry import trace

        from processors.roles.exporting import provider_of

        provider = provider_of(role, instance=instance, where=endpoint_of(environ))
        trace.set_tracer_provider(provider)
    except Exception as error:  # whatever the environment says, the role does its work
        log.error("tracing_off", error=error)
        return None
    for name in _LIBRARIES:  # each failed attempt would be a line or more; ours says it once
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return _Ended(provider.shutdown)


def endpoint_of(environ: Mapping[str, str]) -> str:
    """Where the spans go, without credentials."""
    url = urlsplit(next(filter(None, (environ.get(name) for name in ENDPOINTS)), ""))
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


class _Ended:
    def __init__(self, shutdown: Callable[[], None]) -> None:
        self._shutdown = shutdown

    def end(self) -> None:
        """See RoleTraces."""
        # in a thread that nobody waits for: an endpoint that does not answer keeps no role from its end
        thread = threading.Thread(target=self._shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(_END_WITHIN.total_seconds())
