"""A look as data for programs: names that stay as they are, and None for what is not known."""

from __future__ import annotations

from typing import Any

from processors.roles.certificates import left
from processors.status.findings import ROLES, Finding, Weight, findings, state_of, waiting
from processors.status.seen import Group, Ops, Recent, Seen
from processors.status.workers import Worker, workers_of

WELL = "well"


def worst(found: tuple[Finding, ...]) -> str:
    """ "well", "attention" where something needs a person, or "away" where a server does not answer."""
    heaviest = found[0].weight if found else Weight.NOTE
    return WELL if heaviest is Weight.NOTE else heaviest.value


def as_data(seen: Seen) -> dict[str, Any]:
    """For JSON. docs/operating.md says what each part means."""
    found = findings(seen)
    return {
        "state": worst(found),
        "at": seen.at.isoformat(timespec="milliseconds"),
        "took_seconds": round(seen.took.total_seconds(), 3),
        "topic_prefix": seen.prefix,
        "findings": [{"weight": one.weight.value, "about": one.about, "what": one.what, "do": one.do} for one in found],
        "servers": {
            name: {
                "address": seen.addresses.get(name),
                "up": answer.up,
                "seconds": round(answer.seconds, 3),
                "why": answer.why,
            }
            for name, answer in seen.servers.items()
        },
        "brokers": None
        if seen.cluster is None
        else {
            "controller": seen.cluster.controller,
            "addresses": {str(number): address for number, address in seen.cluster.brokers.items()},
        },
        "topics": None if seen.topics is None else [_topic(seen, change) for change in seen.topics],
        "schemas": None
        if seen.subjects is None
        else {
            "subjects": len(seen.subjects),
            "missing": {one.subject: list(one.missing) for one in seen.subjects if one.missing},
            "foreign": {
                one.subject: [stranger.version for stranger in one.strangers] for one in seen.subjects if one.strangers
            },
        },
        "roles": {role: _role(role, seen) for role in ROLES},
        "last_event_at": None if seen.last_event is None else seen.last_event.isoformat(timespec="milliseconds"),
        "waiting_letters": waiting(seen.ops),
        "oldest_overdue_seconds": max(
            (one.oldest_overdue for one in seen.ops if one.oldest_overdue is not None), default=None
        ),
        "dead_letters_last_day": _recent(seen.dead_letters),
        "uncertain_letters_last_day": _recent(seen.uncertain),
        "playbooks": sorted({one.playbook for one in seen.ops if one.playbook is not None}),
        "certificates": [
            {
                "endpoint": one.endpoint,
                "address": one.address,
                "ends_at": None if one.ends is None else one.ends.isoformat(),
                "days_left": None if (rest := left(one, seen.at)) is None else round(rest.total_seconds() / 86_400, 1),
                "why": one.why,
            }
            for one in seen.certificates
        ],
        "prometheus": seen.prometheus,
    }


def _topic(seen: Seen, change: Any) -> dict[str, Any]:
    spread = (seen.spread or {}).get(change.topic)
    return {
        "topic": change.topic,
        "status": change.status.value,
        "partitions": change.partitions,
        "replication": None if spread is None else spread.replication,
        "out_of_sync": None if spread is None else list(spread.lacking),
        "differences": {key: list(values) for key, values in change.differences.items()},
        "problem": change.problem,
    }


def _role(role: str, seen: Seen) -> dict[str, Any]:
    group = seen.groups.get(role)
    lag = seen.view_lag if role == "view" else None if group is None else group.behind
    return {
        "state": state_of(role, seen).value,
        "lag_records": lag,
        "group": _group_state(group),
        "workers": [_worker(one) for one in workers_of(role, seen)],
    }


def _group_state(group: Group | None) -> str | None:
    return None if group is None else group.state


def _worker(one: Worker) -> dict[str, Any]:
    ops: Ops | None = one.ops
    return {
        "instance": one.instance,
        "host": one.host,
        "partitions": None if one.partitions is None else list(one.partitions),
        "ops": None if ops is None else ops.url,
        "ready": None if ops is None else ops.ready,
        "waiting_for": None if ops is None else list(ops.waiting_for),
        "wrong": None if ops is None else list(ops.wrong),
        "lag_seconds": None if ops is None else ops.lag_seconds,
        "playbook": None if ops is None else ops.playbook,
        "version": None if ops is None else ops.version,
        "clock_off_seconds": None if ops is None or ops.clock_off is None else round(ops.clock_off, 3),
    }


def _recent(one: Recent | None) -> dict[str, Any] | None:
    return None if one is None else {"count": one.count, "complete": one.complete, "by_reason": dict(one.by_reason)}
