"""How a role's process sets up traces, and what harms it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from processors.roles.exporting import ToldOnce, provider_of, resource_of
from processors.roles.tracing import asked_for, endpoint_of
from streams.tracing import Tracing
from tests.tracing.receiver import receiving

URL = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": URL}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{URL}/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": URL}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": URL, "OTEL_SDK_DISABLED": "True"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": URL, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, False),
    ],
)
def test_an_endpoint_turns_traces_on(environ: dict[str, str], on: bool) -> None:
    """Without one a role does nothing for traces, and OpenTelemetry's own switches turn them off again."""
    assert asked_for(environ) is on


def test_the_endpoint_in_the_log_has_no_credentials() -> None:
    """Whoever reads the log learns where the spans should go, and no more."""
    assert endpoint_of({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://ana:secret@otel.example:4318/x"}) == (
        "https://otel.example:4318"
    )


def test_a_role_is_named_in_its_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Careline's names, unless the standard variables give others."""
    found = resource_of("journeys", instance="3").attributes
    assert (found["service.name"], found["service.instance.id"]) == ("careline-journeys", "3")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "care")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-7,deployment.environment.name=test")
    found = resource_of("journeys", instance="3").attributes
    assert (found["service.name"], found["service.instance.id"]) == ("care", "pod-7")
    assert found["deployment.environment.name"] == "test"


class Failing(SpanExporter):
    """Fails as it is told."""

    def __init__(self, *outcomes: Any) -> None:
        self._outcomes = list(outcomes)

    def export(self, spans: Any) -> SpanExportResult:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, SpanExportResult)
        return outcome


def test_an_endpoint_that_fails_is_logged_once_and_once_again_when_it_is_back() -> None:
    """A collector that is away for a night is two lines in the log."""
    good, bad = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
    exporter = ToldOnce(Failing(bad, bad, ValueError("no url"), good, good, ValueError("no url")), where=URL)
    spans: list[ReadableSpan] = []
    with capture_logs() as logs:
        assert [exporter.export(spans) for _ in range(6)] == [bad, bad, bad, good, good, bad]
    assert [entry["event"] for entry in logs] == ["traces_not_exported", "traces_exported_again", "traces_not_exported"]


async def test_samplers_and_headers_are_those_of_the_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in ten thousand, say, by OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG."""
    async with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
        provider = provider_of("gateway", instance="0", where=URL)
        tracing = Tracing(provider)
        for _ in range(400):
            tracing.begin("a call", {}).end()
        await asyncio.to_thread(provider.shutdown)
        assert 100 < len(receiver.spans) < 300
        assert {span.service for span in receiver.spans} == {"careline-gateway"}


PROGRAM = """
import asyncio, sys
from processors.roles.tracing import traces_of
from processors.roles.logs import logs_to
from streams.tracing import Tracing
import os
logs_to("info", role="journeys")
traces = traces_of("journeys", instance="0", environ=os.environ)
tracing = Tracing()
for _ in range(5_000):
    tracing.begin("a step", {}).end()
if traces is not None:
    traces.end()
print("on" if tracing.on else "off")
sys.exit(7)
"""


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, ("traces_not_exported", "on")),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense"}, ("traces_not_exported", "on")),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_MAX_QUEUE_SIZE": "1"},
            ("tracing_off", "off"),
        ),
        ({}, (None, "off")),
    ],
    ids=["nobody listens", "no url", "no such queue", "off"],
)
async def test_a_bad_endpoint_never_harms_the_role(environ: dict[str, str], said: tuple[str | None, str]) -> None:
    """The process does its work, says once what is wrong, and ends in time with its own exit code."""
    began = time.monotonic()
    quick = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env={**os.environ, **quick, **environ},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    lines = output.decode().splitlines()
    event, state = said
    assert process.returncode == 7, lines
    assert lines[-1] == state, lines
    assert [event in line for line in lines[:-1]] == ([True] if event else []), lines
    assert time.monotonic() - began < 30
