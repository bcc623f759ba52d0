"""Sends a role's spans by OTLP over HTTP. Imported only where traces are on."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

log = structlog.get_logger()


def provider_of(role: str, *, instance: str, where: str) -> TracerProvider:
    """Everything but the names of the service is OpenTelemetry's own, by its variables. Raises what these make it
    raise. ``where``: the endpoint, for the log."""
    provider = TracerProvider(resource=resource_of(role, instance=instance), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(ToldOnce(OTLPSpanExporter(), where=where)))
    return provider


def resource_of(role: str, *, instance: str) -> Resource:
    """``careline-<role>`` and the worker's instance, where OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES do not say
    otherwise."""
    ours = {"service.name": f"careline-{role}", "service.instance.id": instance}
    theirs = OTELResourceDetector().detect().attributes
    return Resource.create({name: value for name, value in ours.items() if name not in theirs})


class ToldOnce(SpanExporter):
    """An exporter whose failures are logged once, until it works again; the spans of a failed call are lost."""

    def __init__(self, exporter: SpanExporter, *, where: str) -> None:
        self._exporter = exporter
        self._where = where
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter. Never raises."""
        why: Exception | None = None
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # a URL that is none, for example: spans are not worth a thread
            result, why = SpanExportResult.FAILURE, error
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failing:
            log.warning("traces_not_exported", url=self._where, error=why)
        elif self._failing and not failed:
            log.info("traces_exported_again", url=self._where)
        self._failing = failed
        return result

    def shutdown(self) -> None:
        """See SpanExporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See SpanExporter."""
        return self._exporter.force_flush(timeout_millis)
