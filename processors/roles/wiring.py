"""The composition root: every role from its settings. The one place that knows what a role is made of.

A collaborator that is not given is the real one that the settings describe (for ``tracing``: the process's tracer
provider); tests give twins. What a role needs is
imported when it is made: no process loads what only another role works with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from processors.journey.playbook import Playbook
from processors.roles.role import Role
from processors.settings import Settings
from streams.broker.choice import broker_of
from streams.broker.contract import Broker
from streams.clock import Clock, SystemClock
from streams.events import OutreachChannel
from streams.http.serving import Bounds
from streams.registry.choice import registry_of
from streams.registry.registry import Registry
from streams.tracing import Tracing

if TYPE_CHECKING:
    from processors.gateway.role import GatewayRole, Publishes
    from processors.measure.role import MeasureRole
    from processors.outreach.channels import Channel
    from processors.outreach.role import OutreachRole
    from processors.roles.journeys import JourneysRole
    from processors.view.role import ViewRole
    from processors.view.store import ViewStore


def journeys(
    settings: Settings,
    *,
    playbook: Playbook,
    registry: Registry | None = None,
    broker: Broker | None = None,
    clock: Clock | None = None,
    tracing: Tracing | None = None,
) -> JourneysRole:
    """The role that decides. ``playbook`` is the one to begin with; a changed file of the settings is taken up."""
    from processors.playbook.watching import watched
    from processors.roles.journeys import JourneysRole

    role = JourneysRole(
        settings,
        playbook=playbook,
        registry=registry or registry_of(settings),
        broker=broker or broker_of(settings),
        clock=clock or SystemClock(),
        tracing=tracing,
    )
    watched(role, settings=settings, playbook=playbook, taken=role.take)
    return role


def outreach(
    settings: Settings,
    *,
    playbook: Playbook,
    channels: Mapping[OutreachChannel, Channel] | None = None,
    registry: Registry | None = None,
    broker: Broker | None = None,
    clock: Clock | None = None,
    tracing: Tracing | None = None,
) -> OutreachRole:
    """The role that delivers. ``playbook``: as for journeys. Raises SettingsError, TemplateFault."""
    from processors.outreach.role import OutreachRole, channels_of
    from processors.playbook.watching import watched

    role = OutreachRole(
        settings,
        channels=channels_of(settings) if channels is None else channels,
        playbook=playbook,
        registry=registry or registry_of(settings),
        broker=broker or broker_of(settings),
        clock=clock or SystemClock(),
        tracing=tracing,
    )
    watched(role, settings=settings, playbook=playbook, taken=role.take)
    return role


def view(settings: Settings, *, store: ViewStore | None = None, registry: Registry | None = None) -> ViewRole:
    """The role that keeps the view. Raises SettingsError."""
    from processors.view.redis_store import RedisViewStore
    from processors.view.role import ViewRole

    return ViewRole(settings, store=store or RedisViewStore(settings), registry=registry or registry_of(settings))


def measure(settings: Settings, *, registry: Registry | None = None) -> MeasureRole:
    """The role that counts. To be called on the event loop, which Faust asks for."""
    from processors.measure.role import MeasureRole

    return MeasureRole(settings, registry=registry or registry_of(settings))


def gateway(
    settings: Settings,
    *,
    publishers: tuple[Publishes, ...] = (),
    registry: Registry | None = None,
    clock: Clock | None = None,
    bounds: Bounds | None = None,
    tracing: Tracing | None = None,
) -> GatewayRole:
    """The role that takes calls. ``publishers``: instead of those that it connects itself; ``bounds``: what callers
    may take. Raises SettingsError where neither links nor reports are set up, or a secret is none."""
    from processors.gateway.role import GatewayRole

    return GatewayRole(
        settings,
        publishers=publishers,
        registry=registry or registry_of(settings),
        clock=clock or SystemClock(),
        bounds=bounds or Bounds(),
        tracing=tracing,
    )


ROLES: Mapping[str, Callable[..., Role]] = {
    "journeys": journeys,
    "outreach": outreach,
    "view": view,
    "measure": measure,
    "gateway": gateway,
}
"""Every role by its name, in the order in which a record meets them."""

_BY_PLAYBOOK = ("journeys", "outreach")


def role_of(name: str, settings: Settings) -> Callable[[], Role]:
    """What makes the role of that name, to be called on the event loop.

    The playbook is read here and tried in a process of its own, which needs a loop of its own. Raises SettingsError,
    PlaybookRefused.
    """
    if name not in _BY_PLAYBOOK:
        return partial(ROLES[name], settings)
    from processors.playbook.apart import load_apart

    return partial(ROLES[name], settings, playbook=load_apart(settings.playbook))
