"""Read why somebody did not hear from us: every decision not to write, or not yet, with its reason. Needs a stack:
README.md, "Publish"."""

import asyncio

from streams import Settings, Subscriber, events

NOT_SENT = (events.DecisionKind.SUPPRESS, events.DecisionKind.HOLD)


async def main() -> None:
    async with Subscriber(Settings.from_environment(), "decisions", group="why") as decisions:
        async for message in decisions:
            match message.record:
                case events.Decision(kind=kind) as why if kind in NOT_SENT:
                    until = f" until {why.hold_until:%d %b %H:%M} UTC" if why.hold_until else ""
                    print(f"{why.customer_id}: {why.policy}/{why.occasion} {kind.lower()}{until}", flush=True)
                    print(f"  {why.reason}: {why.explanation}", flush=True)


asyncio.run(main())
