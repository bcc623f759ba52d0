"""Plain Faust under kills: an agent with a table and an output topic, as in Faust's own guide.

A worker of :mod:`tests.chaos.faust` (``python -m tests.chaos.faust_app worker --without-web``), configured by the
environment. It has no workarounds, to show what Faust does by itself.
"""

from __future__ import annotations

import os
from typing import Any

import faust

PREFIX = "CHAOS_FAUST_"


def app_of(environ: Any = os.environ) -> faust.App:
    """The app: it counts each customer's events, and outputs the count with every event."""
    name = environ[f"{PREFIX}NAME"]
    partitions = int(environ[f"{PREFIX}PARTITIONS"])
    app = faust.App(
        f"{name}-app",
        broker=f"kafka://{environ[f'{PREFIX}BOOTSTRAP']}",
        store="memory://",
        datadir=environ[f"{PREFIX}DATA"],
        processing_guarantee=environ[f"{PREFIX}GUARANTEE"],
        topic_partitions=partitions,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
        # as short as our processors' own, so that both recover as soon as possible
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        stream_wait_empty=False,
    )
    events = app.topic(f"{name}-events", key_type=str, key_serializer="raw", value_serializer="json")
    told = app.topic(f"{name}-told", key_type=str, key_serializer="raw", value_serializer="json")
    counts = app.Table("counts", default=int, key_type=str, partitions=partitions)

    @app.agent(events, concurrency=1)
    async def count(stream: Any) -> None:
        async for customer, event in stream.items():
            counts[customer] += 1
            await told.send(key=customer, value={**event, "count": counts[customer]})

    return app


if __name__ == "__main__":
    app_of().main()
