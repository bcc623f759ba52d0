"""The span of one call to the gateway."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from opentelemetry.trace import SpanKind

from streams.publishing.cloudevents import TRACEPARENT, is_traceparent
from streams.tracing import Traced, Tracing

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


def traced(tracing: Tracing) -> Middleware:
    """A span around every call; what is published meanwhile is its child.

    Each call begins a trace of its own, linked to the caller's, if it names one: the gateway is open to everybody, and
    a stranger does not decide what is recorded.
    """

    @web.middleware
    async def traced_call(request: web.Request, handler: Handler) -> web.StreamResponse:
        span = _begun(tracing, request)
        try:
            with span.current():
                answer = await handler(request)
        except web.HTTPException as unknown:  # path or method
            span.note({"http.response.status_code": unknown.status})
            raise
        else:
            span.note({"http.response.status_code": answer.status})
            if answer.status >= 500:
                span.failed(str(answer.status))
            return answer
        finally:
            span.end()

    return traced_call


def _begun(tracing: Tracing, request: web.Request) -> Traced:
    method = request.method if request.method in _METHODS else "_OTHER"
    resource = request.match_info.route.resource
    route = None if resource is None else resource.canonical  # the token is no part of it
    caller = request.headers.get(TRACEPARENT, "")
    return tracing.begin_root(
        method if route is None else f"{method} {route}",
        {"http.request.method": method, "http.route": route},
        kind=SpanKind.SERVER,
        links=[caller] if is_traceparent(caller.encode("utf-8", "replace")) else [],
    )
