"""A role's workers: the members of its group, each with the ops port that is its own as far as that can be told."""

from __future__ import annotations

from dataclasses import dataclass

from processors.status.seen import Ops, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker. Of a role without a group, or whose group does not show it yet, only ``ops`` is known."""

    instance: str | None
    host: str | None
    partitions: tuple[int, ...] | None
    ops: Ops | None


def workers_of(role: str, seen: Seen) -> tuple[Worker, ...]:
    """By instance. A member and an ops port belong together where they name the same partitions, or where there is one
    of each."""
    group = seen.groups.get(role)
    members = sorted(group.members if group is not None else (), key=lambda one: (one.instance or "", one.client))
    ports = [one for one in seen.ops if one.role == role]
    alone = len(members) == len(ports) == 1
    workers = []
    for member in members:
        own = next((one for one in ports if alone or (one.partitions and one.partitions == member.partitions)), None)
        if own is not None:
            ports.remove(own)
        workers.append(Worker(instance=member.instance, host=member.host, partitions=member.partitions, ops=own))
    workers += [Worker(instance=None, host=None, partitions=one.partitions, ops=one) for one in ports]
    return tuple(workers)
