"""A look at a system where all is well, to be changed by each test in what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from processors.roles.servers import Answer
from processors.status.seen import Group, Member, Ops, Recent, Seen, Spread
from streams.broker.contract import Cluster
from streams.broker.provision import TopicChange, TopicStatus
from streams.registry.subjects import SubjectState
from streams.topics import Topics

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADDRESSES = {"kafka": "127.0.0.1:9092", "registry": "http://127.0.0.1:8081", "redis": "127.0.0.1:6379", "mail": "mx:25"}


def change(name: str, status: TopicStatus = TopicStatus.SAME, **fields: Any) -> TopicChange:
    """A topic compared with the catalogue."""
    made: dict[str, Any] = {"partitions": 4, "config": {}, "differences": {}, "present": {}, **fields}
    return TopicChange(topic=name, status=status, **made)


def group(*members: Member, state: str = "Stable", committed: bool = True, lag: int = 0) -> Group:
    """A role's group of four partitions."""
    counts = {0: lag, 1: 0, 2: 0, 3: 0}
    return Group(state=state if members else "Empty", members=members, lag=counts, committed=committed)


def member(instance: str, *partitions: int) -> Member:
    """A member of a group."""
    return Member(client=f"careline-x-{instance}", host="10.0.0.7", instance=instance, partitions=partitions)


def ops(role: str, port: int, **fields: Any) -> Ops:
    """What a worker says of itself."""
    made: dict[str, Any] = {"ready": True, "version": "0.1.0", "clock_off": 0.0, **fields}
    return Ops(url=f"http://127.0.0.1:{port}", role=role, **made)


def well(**fields: Any) -> Seen:
    """All servers answer, and every role runs and is ready."""
    topics = Topics()
    names = [topics.full_name(topic) for topic in topics.all()]
    whole = member("0", 0, 1, 2, 3)
    made: dict[str, Any] = {
        "servers": {name: Answer(server=name, seconds=0.004) for name in ADDRESSES},
        "addresses": dict(ADDRESSES),
        "cluster": Cluster(brokers={1: "127.0.0.1:9092"}, controller=1),
        "topics": tuple(change(name) for name in names),
        "spread": {name: Spread(replication=1) for name in names},
        "subjects": tuple(
            SubjectState(subject=subject, record=record, missing=(), strangers=())
            for subject, record in topics.subjects()
        ),
        "groups": {role: group(whole) for role in ("journeys", "outreach", "measure")},
        "ops": (
            ops("journeys", 9101, playbook="5f2c9a41d07e", lag_seconds=0.0),
            ops("outreach", 9102, playbook="5f2c9a41d07e", waiting={"quiet_hours": 3, "retry": 0}, oldest_overdue=0.0),
            ops("view", 9103),
            ops("measure", 9104),
            ops("gateway", 9105),
        ),
        "view_lag": 0,
        "view_built": True,
        "any_event": True,
        "last_event": NOW - timedelta(seconds=12),
        "dead_letters": Recent(count=0, complete=True),
        "uncertain": Recent(count=0, complete=True),
        "took": timedelta(seconds=0.4),
        **fields,
    }
    return Seen(at=NOW, prefix="careline.", **made)
