"""Handling common to every call: a caller's mistake is answered 4xx with the field; our own fault 5xx, and logged."""

from __future__ import annotations

import json
import time
from typing import Any

import structlog
from aiohttp import ClientPayloadError, web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler
from aiohttp.web_request import BaseRequest

from processors.gateway import metrics
from processors.gateway.reports import LONGEST_NAME
from streams.errors import InvalidEvent, Unavailable
from streams.http.serving import body_of
from streams.json_names import RepeatedName, unique

log = structlog.get_logger()

KINDS = ("unsubscribe", "outcome")
"""The kinds of calls: names of routes, and a label of the metric."""

_HEADERS = {"Cache-Control": "no-store"}
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


class Unacceptable(Exception):
    """The call is invalid: it is answered with ``status``."""

    def __init__(self, status: int, field: str | None, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.field = field
        self.problem = problem


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's answer, or the one for its exception; counted by kind and status."""
    began = time.monotonic()
    answer = await _answer(request, handler)
    kind = request.match_info.route.name
    if kind in KINDS and request.method == "POST":
        metrics.GATEWAY_SECONDS.labels(kind=kind).observe(time.monotonic() - began)
        metrics.GATEWAY_CALLS.labels(kind=kind, status=str(answer.status)).inc()
    return answer


async def _answer(call: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(call)
    except Unacceptable as why:
        return refusal(why.status, why.field, why.problem)
    except InvalidEvent as why:
        return refusal(400, why.field, str(why))
    except Unavailable as error:
        log.warning("not_published", error=error)
        return refusal(503, None, "this could not be stored now; send it again")
    except web.HTTPException:  # unknown path or method: the server's own answer
        raise
    except Exception:
        log.exception("gateway_failed", path=call.match_info.route.name or "unknown", method=call.method)
        return refusal(500, None, "internal error; it has been logged")


def refusal(status: int, field: str | None, problem: str) -> web.Response:
    """A JSON answer with ``error``, and ``field`` if one is at fault."""
    said = {"error": problem} | ({} if field is None else {"field": field})
    return web.json_response(said, status=status, headers=_HEADERS)


async def received(call: BaseRequest) -> bytes:
    """The body. Raises Unacceptable if it is too large or slow, or does not match its headers."""
    try:
        return await body_of(call)
    except TimeoutError as error:
        raise Unacceptable(408, "body", "the body took too long") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise Unacceptable(413, "body", "the body is too large") from error
    except (web.RequestPayloadError, ClientPayloadError, HttpProcessingError, ConnectionError) as error:
        raise Unacceptable(400, "body", "the body does not match its Content-Encoding or Content-Length") from error


async def text_of(call: BaseRequest) -> str:
    """The body as text. Raises Unacceptable like ``received``, and if it is not UTF-8 or its type is not JSON."""
    body = await received(call)  # read it first, so that the sender sees the answer
    for name in ("content-encoding", "content-type"):
        if len(call.headers.getall(name, [])) > 1:
            raise Unacceptable(400, name, "is repeated")
    packed = call.headers.get("Content-Encoding", "").strip().lower()
    if packed not in _ENCODINGS:
        raise Unacceptable(415, "content-encoding", "must be gzip, deflate or absent")
    if call.headers.get("Content-Type") is not None and not _is_json(call.content_type):
        raise Unacceptable(415, "content-type", "must be application/json")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Unacceptable(400, "body", "the body is not UTF-8") from error


def json_of(text: str) -> Any:
    """The body's JSON. Raises Unacceptable if it is not JSON (RFC 8259), is nested too deeply, or repeats a name."""
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=_no_number)
    except RecursionError as error:
        raise Unacceptable(400, "body", "the body is nested too deeply") from error
    except RepeatedName as error:
        raise Unacceptable(400, error.name[:LONGEST_NAME], "appears twice in one object") from error
    except ValueError as error:
        raise Unacceptable(400, "body", "the body is not JSON") from error


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
