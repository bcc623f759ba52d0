"""What of all that was seen needs a person, in words, each with the way out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from processors.roles.certificates import left
from processors.roles.servers import KAFKA, MAIL, REDIS, REGISTRY
from processors.status.seen import Group, Ops, RoleState, Seen
from streams.broker.provision import TopicStatus
from streams.durations import span

NEEDED = ("journeys", "outreach")
"""Without these no letter leaves; the others may be missing on purpose."""
ROLES = (*NEEDED, "view", "measure", "gateway")

CERTIFICATE_SOON = timedelta(days=14)
CLOCK_OFF = 2.0
LAG_LONG = 60.0
OVERDUE_LONG = 600.0
VIEW_BEHIND = 1_000
_LISTED = 3
"""More of a kind than these are one finding."""
PROMETHEUS = (2, 42)
"""The oldest version that reads our rules, and the native histograms."""


class Weight(StrEnum):
    """How much a finding matters."""

    AWAY = "away"
    """A server does not answer."""
    PERSON = "attention"
    """It does not mend by itself."""
    NOTE = "note"
    """Something is not known, or is worth a look some time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``what`` is the matter with ``about``, such as a role or a topic; ``do`` is the way out."""

    weight: Weight
    about: str
    what: str
    do: str


def state_of(role: str, seen: Seen) -> RoleState:
    """The role's state, from its group and its ops ports; the worst that any worker says."""
    group, ops = seen.groups.get(role), [one for one in seen.ops if one.role == role]
    if any(not one.ready for one in ops):
        return RoleState.NOT_READY
    if group is not None and group.members:
        if group.state != "Stable":
            return RoleState.REBALANCING
        return RoleState.READY if len(ops) >= len(group.members) else RoleState.RUNNING
    if ops:
        return RoleState.READY
    if group is not None:
        return RoleState.STOPPED if group.committed else RoleState.NEVER
    if role in _vanished(seen):
        return RoleState.STOPPED
    if role == "view" and seen.view_built is False:
        return RoleState.NEVER
    return RoleState.UNKNOWN


def _vanished(seen: Seen) -> set[str]:
    return {role for role, _ in seen.vanished}


def findings(seen: Seen) -> tuple[Finding, ...]:
    """All of them, the heaviest first."""
    found = [
        *_servers(seen),
        *_topics(seen),
        *_schemas(seen),
        *_roles(seen),
        *_care(seen),
        *_certificates(seen),
        *_surroundings(seen),
        *_unknown(seen),
    ]
    order = list(Weight)
    return tuple(sorted(found, key=lambda one: order.index(one.weight)))


_HARM = {
    KAFKA: "nothing is decided and no letter leaves until a broker answers",
    REGISTRY: "roles that run go on with the schemas they know; none can start",
    REDIS: "letters still leave; `careline customer` and `careline tasks` show nothing",
    MAIL: "e-mails wait, or use the customer's next address",
}
_SETTING = {
    KAFKA: "CARELINE_KAFKA_BOOTSTRAP",
    REGISTRY: "CARELINE_REGISTRY_URL",
    REDIS: "CARELINE_REDIS_URL",
    MAIL: "CARELINE_SMTP_URL",
}


def _servers(seen: Seen) -> Iterator[Finding]:
    for name, answer in seen.servers.items():
        if answer.why is not None:
            do = f"{_HARM[name]}. Start it, or correct {_SETTING[name]}"
            yield Finding(weight=Weight.AWAY, about=name, what=answer.why, do=do)


def _topics(seen: Seen) -> Iterator[Finding]:
    topics = seen.topics or ()
    missing = [one.topic for one in topics if one.status is TopicStatus.MISSING]
    if missing:
        some = f"{len(missing)} of {len(topics)} do not exist: {', '.join(missing)}"
        what = some if len(missing) < len(topics) else f"none of the {len(topics)} exists"
        yield _person("topics", what, "careline topics apply")
    for one in topics:
        if one.status is TopicStatus.REFUSED:
            what, _, do = (one.problem or "").partition(": another number")
            yield _person(one.topic, what, f"another number{do}")
        elif one.status is TopicStatus.DIFFERS:
            changes = (f"{key} is {now}, should be {then}" for key, (now, then) in one.differences.items())
            yield _person(one.topic, "; ".join(changes), "careline topics apply --dry-run, then --yes")
    for name, spread in (seen.spread or {}).items():
        if spread.lacking:
            places = ", ".join(map(str, spread.lacking))
            what = f"replicas of partitions {places} are not in sync"
            yield _person(name, what, "a broker is away or slow; look at the brokers")
        if spread.replication < seen.replication:
            what = f"kept {_times(spread.replication)}, CARELINE_REPLICATION says {seen.replication}"
            yield _person(name, what, "kafka-reassign-partitions.sh gives an existing topic more replicas")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _schemas(seen: Seen) -> Iterator[Finding]:
    lacking = [one for one in seen.subjects or () if one.missing]
    if len(lacking) > _LISTED:
        all_of_them = len(seen.subjects or ())
        what = f"{len(lacking)} of {all_of_them} subjects lack versions of ours, {lacking[0].subject} the first"
        yield _person("schemas", what, "careline schemas apply")
    for subject in seen.subjects or ():
        if subject.missing and len(lacking) <= _LISTED:
            versions = ", ".join(map(str, subject.missing))
            yield _person(subject.subject, f"version {versions} is not registered", "careline schemas apply")
        for one in subject.strangers:
            if one.difference.refused:
                what = f"version {one.version} is not ours, and every reader refuses records written with it"
                yield _person(subject.subject, what, "careline schemas check --registry")


def _roles(seen: Seen) -> Iterator[Finding]:
    for one in seen.ops:
        where = f"{one.role} at {one.url}"
        if one.wrong:
            yield _person(where, "; ".join(one.wrong), "remove the cause, then restart the worker")
        elif not one.ready:
            yield _person(where, f"is not ready: {'; '.join(one.waiting_for)}", "look at its log")
        if one.playbook_refused:
            what = "the playbook on disk has mistakes and is not in force"
            yield _person(where, what, "careline playbook check FILE; its log has every mistake")
        if one.lag_seconds is not None and one.lag_seconds > LAG_LONG:
            what = f"its oldest record has waited for {_long(one.lag_seconds)}"
            yield _person(where, what, "add workers, up to the number of partitions; or see why it is slow")
        if one.clock_off is not None and abs(one.clock_off) > CLOCK_OFF:
            yield _clock(where, one.clock_off)
    for role, url in seen.vanished:
        do = f"careline run {role}; or remove its file from CARELINE_OPS_TARGETS, if it is not wanted any more"
        yield _person(f"{role} at {url}", "has ended without leaving", do)
    for role in ROLES:
        yield from _role(role, seen)
    versions = {one.playbook for one in seen.ops if one.playbook is not None}
    if len(versions) > 1:
        by = "; ".join(f"{one.role} at {one.url} {one.playbook}" for one in seen.ops if one.playbook)
        yield _person("playbook", f"workers have different versions: {by}", "give all of them the same file")


def _role(role: str, seen: Seen) -> Iterator[Finding]:
    group = seen.groups.get(role)
    match state_of(role, seen):
        case RoleState.STOPPED if group is None and role in _vanished(seen):
            pass  # it is told already, with the port that it had
        case RoleState.STOPPED:
            waits = f"; {group.behind} records wait" if group is not None and group.behind else ""
            yield _person(role, f"is not running{waits}", f"careline run {role}")
        case RoleState.NEVER if role in NEEDED:
            yield _person(role, "is not running, and never was here", f"careline run {role}")
        case RoleState.RUNNING:
            ours = sum(one.role == role for one in seen.ops)
            what = f"{len(group.members) - ours if group else 1} of its workers serve no ops port that was asked"
            do = "set CARELINE_OPS_PORT for the worker, and name another address with --ops URL"
            yield Finding(weight=Weight.NOTE, about=role, what=what, do=do)
        case RoleState.UNKNOWN if role == "view" and (seen.view_lag or 0) > VIEW_BEHIND:
            yield _person(role, f"is {seen.view_lag} records behind; it may not be running", "careline run view")
        case _:
            pass
    if group is not None and group.state == "Stable" and group.members:
        yield from _left_alone(role, group)


def _left_alone(role: str, group: Group) -> Iterator[Finding]:
    owned = {number for member in group.members for number in member.partitions}
    alone = sorted(group.lag.keys() - owned)
    if alone:
        what = f"no worker has partitions {', '.join(map(str, alone))}"
        yield _person(role, what, "restart its workers, so that the group gives them out again")


def _care(seen: Seen) -> Iterator[Finding]:
    for one in seen.ops:
        if one.oldest_overdue is not None and one.oldest_overdue > OVERDUE_LONG:
            what = f"the oldest letter that waits was due {_long(one.oldest_overdue)} ago"
            yield _person("outreach", what, "see `careline_outreach_waiting` by reason, and the providers")
    if seen.dead_letters is not None and seen.dead_letters.count:
        least = "" if seen.dead_letters.complete else "at least "
        reasons = ", ".join(f"{count} {reason}" for reason, count in seen.dead_letters.by_reason.items())
        what = f"{least}{seen.dead_letters.count} in the last day: {reasons}"
        yield _person("dead letters", what, "careline dlq list; then careline dlq republish")
    if seen.uncertain is not None and seen.uncertain.count:
        least = "" if seen.uncertain.complete else "at least "
        what = f"{least}{seen.uncertain.count} in the last day may or may not have arrived"
        yield _person("uncertain letters", what, "careline tail outcomes --from-beginning --json; a person decides")


def _certificates(seen: Seen) -> Iterator[Finding]:
    for one in seen.certificates:
        rest = left(one, seen.at)
        where = f"{one.endpoint} at {one.address}"
        if rest is None:
            what, do = f"its certificate could not be read: {one.why}", "see whether it uses TLS on this port"
            yield Finding(weight=Weight.NOTE, about=where, what=what, do=do)
        elif rest <= timedelta():
            yield _person(where, f"its certificate ended {span(-rest)} ago", "renew it")
        elif rest < CERTIFICATE_SOON:
            yield _person(where, f"its certificate ends in {span(rest)}", "renew it")


def _surroundings(seen: Seen) -> Iterator[Finding]:
    if seen.redis_clock_off is not None and abs(seen.redis_clock_off) > CLOCK_OFF:
        yield _clock("redis", seen.redis_clock_off)
    for one in seen.strangers:
        do = f"if a role should serve there, see which process has the port: ss -ltnp 'sport = :{_port(one.url)}'"
        yield Finding(weight=Weight.NOTE, about=one.url, what=f"is taken by something else: {one.what}", do=do)
    if seen.prometheus is not None and _numbers(seen.prometheus) < PROMETHEUS:
        what = f"version {seen.prometheus} is older than {'.'.join(map(str, PROMETHEUS))}, which our rules need"
        yield _person("prometheus", what, "install a later one")


def _unknown(seen: Seen) -> Iterator[Finding]:
    away = {name for name, answer in seen.servers.items() if not answer.up}
    for about, why in seen.unknown.items():
        if KAFKA not in away:  # then nothing of it can be known, and that is said already
            yield Finding(weight=Weight.NOTE, about=about, what=f"not known: {why}", do="look again")


def _clock(about: str, off: float) -> Finding:
    way = "ahead of" if off > 0 else "behind"
    do = "set both by NTP: deadlines and quiet hours go by the clock"
    return _person(about, f"its clock is {abs(off):.1f} s {way} this machine's", do)


def _person(about: str, what: str, do: str) -> Finding:
    return Finding(weight=Weight.PERSON, about=about, what=what, do=do)


def _port(url: str) -> str:
    return url.rpartition(":")[2].partition("/")[0]


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())


def _long(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else span(timedelta(seconds=seconds))


def waiting(ops: tuple[Ops, ...]) -> dict[str, int] | None:
    """Letters that wait, by reason, of all outreach workers together; None if none of them tells."""
    told = [one.waiting for one in ops if one.waiting is not None]
    reasons = sorted({reason for one in told for reason in one})
    return {reason: sum(one.get(reason, 0) for one in told) for reason in reasons} if told else None


def oldest_overdue(ops: tuple[Ops, ...]) -> float | None:
    """Seconds since the oldest letter that waits was due, 0 if none is; None if no outreach worker tells."""
    return max((one.oldest_overdue for one in ops if one.oldest_overdue is not None), default=None)
