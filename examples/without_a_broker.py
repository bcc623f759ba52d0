"""Test without a broker: what a service publishes, read back in the same process. It needs no server."""

import asyncio
import uuid
from datetime import UTC, datetime

from streams import Publisher, Settings, Subscriber, events, set_up

settings = Settings(kafka_bootstrap="memory://shop", registry_url="memory://shop")


async def test_a_delivery_is_published() -> None:
    await set_up(
        settings
    )  # the topics and schemas, as `careline topics apply` and `careline schemas apply` set them up
    delivered = events.OrderDelivered(
        event_id=str(uuid.uuid4()),
        customer_id="ana",
        source="urn:acme:shop",
        occurred_at=datetime.now(UTC),
        order_id="1",
    )
    async with Publisher(settings) as publisher:
        await publisher.publish(delivered)
    async with Subscriber(settings, "touchpoints", until_end=True) as touchpoints:
        assert [message.key async for message in touchpoints] == ["ana"]


asyncio.run(test_a_delivery_is_published())
