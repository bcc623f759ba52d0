"""What traces cost the journeys, in processor time per event: ``python -m tests.benchmarks.tracing``.

The processor itself works on the mixed stream, on the broker in memory and so without a Kafka client, which makes the
share of traces larger than it is live. All ways are measured in one process and take turns; medians are printed.
A trace is exported as far as the bytes of OTLP; nothing is sent. 1 % of the events are of a sampled trace, as a
publisher with ``parentbased_traceidratio`` and ``0.01`` decides it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from streams.avro.codec import Codec
from streams.processor.isolation import Search
from streams.tracing import Tracing
from tests.benchmarks.stream import Wire, mixed
from tests.streams.given import prepared
from tests.streams.owning import EVENTS, TOUCHPOINTS, broker_with_topics, taken, worker

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """``sampled``: the share of events of a recorded trace; None: publishers write no trace context."""

    name: str
    on: bool
    sampled: float | None


WAYS = (
    Way(name="off", on=False, sampled=None),
    Way(name="off, publishers trace 1 %", on=False, sampled=0.01),
    Way(name="on, publishers trace nothing", on=True, sampled=None),
    Way(name="on, 1 % sampled", on=True, sampled=0.01),
    Way(name="on, all sampled", on=True, sampled=1.0),
)


class Encoding(SpanExporter):
    """Turns spans into bytes, and throws these away."""

    def __init__(self) -> None:
        self.spans = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter."""
        self.spans += len(spans)
        encode_spans(spans).SerializePartialToString()
        return SpanExportResult.SUCCESS


def traced(wire: Wire, way: Way) -> list[tuple[str, bytes]]:
    """The headers of the event, as that way's publisher writes them."""
    headers = list(wire.headers)
    if way.sampled is not None:
        ids = hashlib.sha256(dict(headers)["ce_id"]).hexdigest()
        flags = int(int(ids[48:56], 16) < way.sampled * (1 << 32))
        headers.append(("traceparent", f"00-{ids[:32]}-{ids[32:48]}-{flags:02x}".encode()))
    return headers


async def measured(way: Way, wires: Sequence[Wire], codec: Codec) -> tuple[float, int]:
    """Microseconds of processor time per event, and how many spans were exported."""
    broker = await broker_with_topics()
    producer = broker.publishing(largest=2 << 20)
    await producer.start()
    for wire in wires:
        await producer.send(TOUCHPOINTS.topic, wire.value, wire.key, timestamp_ms=wire.at, headers=traced(wire, way))
    exporter, provider = Encoding(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=1 << 20))
    shared = await worker(broker, codec, tracing=Tracing(provider) if way.on else Tracing())
    tenure = await taken(shared)
    search = Search(_BATCH)
    gc.collect()
    gc.disable()
    began = time.process_time()
    while tenure.position < len(wires):
        shared.consumer.seek(TOUCHPOINTS, tenure.position)
        found = await shared.consumer.getmany(TOUCHPOINTS, max_records=_BATCH)
        tx = await tenure.make(found[TOUCHPOINTS], [], tick=None, room=1_000, search=search)
        tenure.take_over(await tenure.commit(tx))
    provider.shutdown()
    spent = time.process_time() - began
    gc.enable()
    return 1e6 * spent / len(wires), exporter.spans


async def compared(*, events: int, rounds: int) -> dict[str, list[tuple[float, int]]]:
    """Each way as often as there are rounds, in turns."""
    codec, _ = await prepared()
    stream = mixed(events=events, customers=max(events // 10, 1))
    wires = stream.encoded(EVENTS, codec, published_at=1)
    found: dict[str, list[tuple[float, int]]] = {way.name: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS[number % len(WAYS) :] + WAYS[: number % len(WAYS)]:
            found[way.name].append(await measured(way, wires, codec))
    return found


def main() -> None:
    """Print the medians, each against that of traces that are off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    found = asyncio.run(compared(events=asked.events, rounds=asked.rounds))
    medians = {name: statistics.median(spent for spent, _ in runs) for name, runs in found.items()}
    for name, runs in found.items():
        # of the same round, so that what else the machine does hits both
        pairs = [spent / off for (spent, _), (off, _) in zip(runs, found["off"], strict=True)]
        print(
            f"{name:<30} {medians[name]:7.1f} µs an event, {100 * (statistics.median(pairs) - 1):+5.1f} %, "
            f"{runs[0][1]:,} spans {[round(spent, 1) for spent, _ in runs]}"
        )
    share = (medians["on, all sampled"] / medians["off"] - 1) / 100
    print(f"a hundredth of what all of them cost: {100 * share:.2f} % (less noise than the difference of two runs)")


if __name__ == "__main__":
    main()
