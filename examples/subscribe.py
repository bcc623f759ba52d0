"""Subscribe: what is known of each customer, whenever it changes. Needs a stack: README.md, "Publish"."""

import asyncio

from streams import Settings, Subscriber, events


async def main() -> None:
    async with Subscriber(Settings.from_environment(), "journeys", group="crm") as journeys:
        async for message in journeys:
            state = message.record  # None: nothing is kept of this customer any more
            if isinstance(state, events.JourneyState) and not state.is_erased:
                print(state.customer_id, state.touchpoints, "touchpoints,", len(state.outreach), "letters", flush=True)


asyncio.run(main())
