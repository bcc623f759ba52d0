"""What a scraper gets of /metrics, by what it asks for."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from streams.http.exposition import OPENMETRICS, PROTOBUF, TEXT, Format, Together, asked_for
from streams.http.protobuf import written
from streams.instruments import Counter, Gauge, Histogram
from streams.labels import AtMost

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_NATIVE = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
    "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (PROMETHEUS, OPENMETRICS),
        (PROMETHEUS_NATIVE, PROTOBUF),
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("text/plain, application/openmetrics-text; version=1.0.0; q=0.9", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", TEXT),
        ('application/vnd.google.protobuf; proto="io.prometheus.client.MetricFamily"; encoding=delimited', PROTOBUF),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=much", TEXT),
        (";;=,,q=1;", TEXT),
    ],
)
def test_a_scraper_gets_what_it_prefers(accept: str, wanted: Format) -> None:
    """By the weights that it says; text where it asks for nothing that we write."""
    assert asked_for(accept) is wanted


@pytest.fixture
def registry() -> CollectorRegistry:
    """A counter, a gauge and a histogram with an example."""
    registry = CollectorRegistry()
    Counter("events_total", "Events.", {"record": AtMost(3)}, registry=registry).labels(record="OrderPlaced").inc(2)
    Gauge("lag", "Lag.", registry=registry).set(1.5)
    seconds = Histogram("wait_seconds", "Wait.", {"role": AtMost(3)}, buckets=(0.1, 1), registry=registry)
    seconds.labels(role="view").observe_all([0.5, 0.5, 0.5])
    seconds.labels(role="view").observe(4, {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    return registry


def test_text_is_what_every_scraper_reads(registry: CollectorRegistry) -> None:
    """Version 0.0.4: no exemplars and no times of creation."""
    text = TEXT.write(Together(registry)).decode()
    samples = {
        (one.name, *sorted(one.labels.values())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }
    assert samples == {
        ("events_total", "OrderPlaced"): 2,
        ("lag",): 1.5,
        ("wait_seconds_bucket", "0.1", "view"): 0,
        ("wait_seconds_bucket", "1.0", "view"): 3,
        ("wait_seconds_bucket", "+Inf", "view"): 4,
        ("wait_seconds_count", "view"): 4,
        ("wait_seconds_sum", "view"): 5.5,
    }


def test_openmetrics_names_an_example(registry: CollectorRegistry) -> None:
    """The trace of an observation, in the bucket that counts it."""
    text = OPENMETRICS.write(Together(registry, CollectorRegistry())).decode()
    assert text.endswith("# EOF\n")
    examples = {
        one.labels["le"]: one.exemplar.labels
        for family in openmetrics_families(text)
        for one in family.samples
        if one.exemplar is not None
    }
    assert examples == {"+Inf": {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}}


def read(message: bytes) -> dict[int, list[int | bytes]]:
    """The fields of a protobuf message by number: integers, and all else as bytes."""
    found: dict[int, list[int | bytes]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = message[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            found.setdefault(tag >> 3, []).append(varint())
            continue
        size = 8 if tag & 7 == 1 else varint()
        found.setdefault(tag >> 3, []).append(message[at : at + size])
        at += size
    return found


def test_protobuf_has_classic_and_native_buckets(registry: CollectorRegistry) -> None:
    """One message a family, each with its length before it; Prometheus reads them in tests/live/test_prometheus.py."""
    content, families = written(registry), {}
    while content:
        assert content[0] < 0x80 or content[1] < 0x80
        size, head = (content[0], 1) if content[0] < 0x80 else (content[0] & 0x7F | content[1] << 7, 2)
        family = read(content[head : head + size])
        families[family[1][0]] = family
        content = content[head + size :]
    assert set(families) == {b"events_total", b"lag", b"wait_seconds"}
    assert [families[name][3] for name in (b"events_total", b"lag", b"wait_seconds")] == [[0], [1], [4]]
    [row] = families[b"wait_seconds"][4]
    assert isinstance(row, bytes)
    [histogram] = read(row)[7]
    assert isinstance(histogram, bytes)
    fields = read(histogram)
    assert (fields[1], len(fields[3]), fields[5], fields[7]) == ([4], 3, [6], [0])
    assert len(fields[12]) == 2, "a span for 0.5 and one for 4"
