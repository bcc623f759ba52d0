"""Publish: tell Careline that Ana's flight is late. Needs a stack: README.md, "Publish"."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from streams import Publisher, Settings, events

now = datetime.now(UTC)
ana = {"customer_id": "ana", "source": "urn:acme:departures", "occurred_at": now}
flight = {"subject_kind": "flight", "subject_id": "UA571", "description": "flight UA 571 to Houston"}
times = {"promised_at": now + timedelta(hours=1), "expected_at": now + timedelta(hours=4)}
delay = events.DelayNoticed(event_id=str(uuid4()), **ana, **flight, **times, reason=events.DelayReason.WEATHER)


async def main() -> None:
    async with Publisher(Settings.from_environment()) as publisher:
        print(await publisher.publish(delay))


asyncio.run(main())
