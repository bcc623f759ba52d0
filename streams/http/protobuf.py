"""Metrics as Prometheus's protobuf messages, each with its length before it. Only they carry native histograms.

The messages and the numbers of their fields are those of ``io.prometheus.client`` (client_model's metrics.proto). No
package that we use brings them generated, and there are few.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar, Sample

from streams.instruments import Family, Reading
from streams.sparse import ZERO, Sparse

_COUNTER, _GAUGE, _UNTYPED, _HISTOGRAM = 0, 1, 3, 4
_VARINT, _FIXED64, _BYTES = 0, 1, 2
_DOUBLE = struct.Struct("<d")


def written(collector: Collector) -> bytes:
    """Every family of metrics. A histogram has its classic and its native buckets."""
    families = (_family(metric) for metric in collector.collect())
    return b"".join(_varint(len(family)) + family for family in families)


def _family(metric: Metric) -> bytes:
    kind, name, field = _UNTYPED, metric.name, 5
    if metric.type == "counter":
        kind, name, field = _COUNTER, f"{metric.name}_total", 3
    elif metric.type == "gauge":
        kind, field = _GAUGE, 2
    elif isinstance(metric, Family):
        kind = _HISTOGRAM
    head = _text(1, name) + _text(2, metric.documentation) + _number(3, kind)
    if isinstance(metric, Family):
        rows = [_row(labels, _bytes(7, _histogram(reading))) for labels, reading in metric.readings()]
    else:
        rows = [_row(one.labels, _bytes(field, _value(one))) for one in metric.samples if one.name == name]
    return head + b"".join(_bytes(4, row) for row in rows)


def _row(labels: Mapping[str, str], value: bytes) -> bytes:
    return b"".join(_label(1, *pair) for pair in labels.items()) + value


def _value(sample: Sample) -> bytes:
    exemplar = b"" if sample.exemplar is None else _bytes(2, _exemplar(sample.exemplar))
    return _double(1, sample.value) + exemplar


def _histogram(reading: Reading) -> bytes:
    count, classic = 0, b""
    for bound, held, exemplar in zip(reading.bounds, reading.buckets, reading.exemplars, strict=True):
        count += int(held)
        bucket = _number(1, count) + _double(2, bound)
        if exemplar is not None:
            bucket += _bytes(3, _exemplar(exemplar))
        classic += _bytes(3, bucket)
    return _number(1, count) + _double(2, reading.total) + classic + _native(reading.sparse)


def _native(sparse: Sparse) -> bytes:
    spans: list[tuple[int, int]] = []
    deltas: list[int] = []
    end, before = 0, 0
    for bucket, count in sorted(sparse.counts.items()):
        if spans and bucket == end:
            spans[-1] = spans[-1][0], spans[-1][1] + 1
        else:
            spans.append((bucket - end, 1))
        deltas.append(count - before)
        end, before = bucket + 1, count
    head = _number(5, _zigzag(sparse.schema)) + _double(6, ZERO) + _number(7, sparse.zeros)
    body = b"".join(_bytes(12, _number(1, _zigzag(gap)) + _number(2, length)) for gap, length in spans)
    return head + body + _bytes(13, b"".join(_varint(_zigzag(delta)) for delta in deltas))


def _exemplar(exemplar: Exemplar) -> bytes:
    said = b"".join(_label(1, *pair) for pair in exemplar.labels.items()) + _double(2, exemplar.value)
    if exemplar.timestamp is None:
        return said
    seconds, nanos = divmod(round(float(exemplar.timestamp) * 1_000_000_000), 1_000_000_000)
    return said + _bytes(3, _number(1, seconds) + _number(2, nanos))


def _label(field: int, name: str, value: str) -> bytes:
    return _bytes(field, _text(1, name) + _text(2, value))


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode(errors="replace"))


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | _FIXED64) + _DOUBLE.pack(number)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
