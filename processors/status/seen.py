"""What was seen in one look. None means that it could not be known; ``Seen.unknown`` says why. No customer's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from processors.roles.certificates import Certificate
from processors.roles.servers import Answer
from streams.broker.contract import Cluster
from streams.broker.provision import TopicChange
from streams.registry.subjects import SubjectState


class RoleState(StrEnum):
    """What is known of a role's workers, in one word."""

    READY = "ready"
    """Every worker that is known says so."""
    NOT_READY = "not ready"
    """At least one says what it waits for."""
    RUNNING = "running"
    """Its group has members, and no ops port of theirs was found: whether they are ready is not known."""
    REBALANCING = "rebalancing"
    """Its group is giving partitions to its members right now."""
    STOPPED = "not running"
    """Its group has no member, and has run before; or what it writes falls behind."""
    NEVER = "never ran"
    UNKNOWN = "unknown"
    """It uses no group, and no ops port of it answered; or the servers that know are away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a role's group, as Kafka knows it. ``partitions`` are those of the role's input."""

    client: str
    host: str
    instance: str | None
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A role's consumer group: Kafka's word for its state, its members, and what is left to read by partition."""

    state: str
    members: tuple[Member, ...]
    lag: Mapping[int, int]
    """Records that are not handled yet, by partition; partitions that nothing was committed for count from the start.
    Above 50 in a partition it counts offsets, of which some belong to transactions' ends."""
    committed: bool
    """Whether anything was ever committed for it, as far as Kafka remembers."""

    @property
    def behind(self) -> int:
        """The lag of all partitions."""
        return sum(self.lag.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ops:
    """What a worker says at its ops port. Fields are None where its version does not tell."""

    url: str
    role: str
    ready: bool
    waiting_for: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    """What does not mend by itself: /livez."""
    partitions: tuple[int, ...] | None = None
    playbook: str | None = None
    playbook_refused: bool = False
    version: str | None = None
    lag_seconds: float | None = None
    lag_records: int | None = None
    clock_off: float | None = None
    """Seconds that its clock is ahead of ours; negative if behind."""
    waiting: Mapping[str, int] | None = None
    """Of outreach: letters that wait, by reason."""
    oldest_overdue: float | None = None
    """Of outreach: seconds since the oldest of them was due; 0 if none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A port that was asked for a role's health and belongs to something else. ``what`` it answered."""

    url: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Records of the last day. ``complete`` is False where there were too many to read: then ``count`` is the least."""

    count: int
    complete: bool
    by_reason: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a topic's partitions are kept: the least number of replicas, and the partitions that lack some of theirs."""

    replication: int
    lacking: tuple[int, ...] = ()


@dataclass(slots=True, kw_only=True)
class Seen:
    """Everything of one look. It is filled by whoever asks, and read when the time is over."""

    at: datetime
    prefix: str
    servers: dict[str, Answer] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None
    topics: tuple[TopicChange, ...] | None = None
    spread: dict[str, Spread] | None = None
    replication: int = 1
    """The number of replicas that the settings ask for."""
    subjects: tuple[SubjectState, ...] | None = None
    groups: dict[str, Group] = field(default_factory=dict)
    ops: tuple[Ops, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    vanished: tuple[tuple[str, str], ...] = ()
    """Workers, by role and URL, that announced themselves on this machine (CARELINE_OPS_TARGETS) and are not there."""
    view_lag: int | None = None
    view_built: bool | None = None
    """Whether Redis holds a view."""
    last_event: datetime | None = None
    any_event: bool | None = None
    """Whether the touchpoints hold any record; None if not known."""
    dead_letters: Recent | None = None
    uncertain: Recent | None = None
    certificates: tuple[Certificate, ...] = ()
    redis_clock_off: float | None = None
    prometheus: str | None = None
    """The version of the Prometheus on this machine, if one answers."""
    took: timedelta = timedelta()
    unknown: dict[str, str] = field(default_factory=dict)
    """Why something could not be known, by the name of its field."""
