"""What needs a person is told with the way out; what mends by itself, or is only not known, does not wake anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from processors.roles.certificates import Certificate
from processors.roles.servers import Answer
from processors.status.data import worst
from processors.status.findings import Weight, findings, state_of
from processors.status.seen import Recent, RoleState, Seen, Spread, Stranger
from schemas.compatibility import Difference
from streams.broker.provision import TopicStatus
from streams.registry import subjects
from tests.status.given import NOW, change, group, member, ops, well


def told(seen: Seen) -> list[str]:
    """Findings as weight, about, what."""
    return [f"{one.weight} {one.about}: {one.what}" for one in findings(seen)]


def test_where_all_is_well_nothing_is_found() -> None:
    """No finding, and the code is 0."""
    assert findings(well()) == ()
    assert worst(()) == "well"


ALONE = member("0", 0, 1, 2, 3)
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "a server is away": (
        {"servers": {"redis": Answer(server="redis", seconds=1, why="Redis at x does not answer: refused")}},
        "away redis: Redis at x does not answer: refused",
        "CARELINE_REDIS_URL",
    ),
    "topics are missing": (
        {"topics": (change("careline.outreach", TopicStatus.MISSING), change("careline.journeys"))},
        "attention topics: 1 of 2 do not exist: careline.outreach",
        "careline topics apply",
    ),
    "a topic has other partitions": (
        {
            "topics": (
                change(
                    "careline.journeys",
                    TopicStatus.REFUSED,
                    problem="careline.journeys has 5 partitions and CARELINE_PARTITIONS says 4: another number would "
                    "send customers' keys away. Set CARELINE_PARTITIONS=5",
                ),
            )
        },
        "attention careline.journeys: careline.journeys has 5 partitions and CARELINE_PARTITIONS says 4",
        "Set CARELINE_PARTITIONS=5",
    ),
    "a setting of a topic differs": (
        {
            "topics": (
                change("careline.outreach", TopicStatus.DIFFERS, differences={"retention.ms": ("1000", "2592000000")}),
            )
        },
        "attention careline.outreach: retention.ms is 1000, should be 2592000000",
        "careline topics apply",
    ),
    "replicas are out of sync": (
        {"spread": {"careline.journeys": Spread(replication=3, lacking=(0, 2))}},
        "attention careline.journeys: replicas of partitions 0, 2 are not in sync",
        "broker",
    ),
    "too few replicas": (
        {"spread": {"careline.journeys": Spread(replication=1)}, "replication": 3},
        "attention careline.journeys: kept once, CARELINE_REPLICATION says 3",
        "kafka-reassign-partitions.sh",
    ),
    "a schema is missing": (
        {"subjects": (subjects.SubjectState(subject="s", record="r", missing=(2, 3), strangers=()),)},
        "attention s: version 2, 3 is not registered",
        "careline schemas apply",
    ),
    "many schemas are missing": (
        {
            "subjects": tuple(
                subjects.SubjectState(subject=f"s{number}", record="r", missing=(1,), strangers=())
                for number in range(5)
            )
        },
        "attention schemas: 5 of 5 subjects lack versions of ours, s0 the first",
        "careline schemas apply",
    ),
    "a role never ran": (
        {"groups": {"journeys": group(committed=False)}, "ops": ()},
        "attention journeys: is not running, and never was here",
        "careline run journeys",
    ),
    "a role does not run any more": (
        {"groups": {"outreach": group(lag=7)}, "ops": ()},
        "attention outreach: is not running; 7 records wait",
        "careline run outreach",
    ),
    "a worker is not ready": (
        {"ops": (ops("journeys", 9101, ready=False, waiting_for=("partition 2: recovered",)),)},
        "attention journeys at http://127.0.0.1:9101: is not ready: partition 2: recovered",
        "log",
    ),
    "a worker is broken": (
        {"ops": (ops("journeys", 9101, ready=False, wrong=("partition 2 stopped",)),)},
        "attention journeys at http://127.0.0.1:9101: partition 2 stopped",
        "restart",
    ),
    "a partition has no worker": (
        {"groups": {"journeys": group(member("0", 0, 1, 3))}},
        "attention journeys: no worker has partitions 2",
        "restart",
    ),
    "it is behind for long": (
        {"ops": (ops("journeys", 9101, lag_seconds=150.0),)},
        "attention journeys at http://127.0.0.1:9101: its oldest record has waited for 2 min",
        "add workers",
    ),
    "playbooks differ": (
        {"ops": (ops("journeys", 9101, playbook="aaa"), ops("outreach", 9102, playbook="bbb"))},
        (
            "attention playbook: workers have different versions: journeys at http://127.0.0.1:9101 aaa; "
            "outreach at http://127.0.0.1:9102 bbb"
        ),
        "the same file",
    ),
    "a playbook was refused": (
        {"ops": (ops("journeys", 9101, playbook_refused=True),)},
        "attention journeys at http://127.0.0.1:9101: the playbook on disk has mistakes and is not in force",
        "careline playbook check",
    ),
    "letters are overdue": (
        {"ops": (ops("outreach", 9102, oldest_overdue=4_000.0),)},
        "attention outreach: the oldest letter that waits was due 1 h 07 min ago",
        "providers",
    ),
    "dead letters": (
        {"dead_letters": Recent(count=3, complete=True, by_reason={"unknown_schema": 2, "other": 1})},
        "attention dead letters: 3 in the last day: 2 unknown_schema, 1 other",
        "careline dlq list",
    ),
    "more uncertain letters than were read": (
        {"uncertain": Recent(count=2, complete=False)},
        "attention uncertain letters: at least 2 in the last day may or may not have arrived",
        "careline tail outcomes",
    ),
    "a certificate ends soon": (
        {"certificates": (Certificate(endpoint="kafka", address="k:9093", ends=NOW + timedelta(days=3)),)},
        "attention kafka at k:9093: its certificate ends in 3 days",
        "renew",
    ),
    "a certificate has ended": (
        {"certificates": (Certificate(endpoint="mail", address="m:465", ends=NOW - timedelta(hours=5)),)},
        "attention mail at m:465: its certificate ended 5 h 00 min ago",
        "renew",
    ),
    "a clock is off": (
        {"redis_clock_off": -7.5},
        "attention redis: its clock is 7.5 s behind this machine's",
        "NTP",
    ),
    "a worker's clock is off": (
        {"ops": (ops("journeys", 9101, clock_off=3.0),)},
        "attention journeys at http://127.0.0.1:9101: its clock is 3.0 s ahead of this machine's",
        "NTP",
    ),
    "an old Prometheus": (
        {"prometheus": "2.31.2+ds1"},
        "attention prometheus: version 2.31.2+ds1 is older than 2.42, which our rules need",
        "later",
    ),
    "a port is taken": (
        {"strangers": (Stranger(url="http://127.0.0.1:9101", what="200, and not as a role answers"),)},
        "note http://127.0.0.1:9101: is taken by something else: 200, and not as a role answers",
        "sport = :9101",
    ),
    "a role without an ops port": (
        {"groups": {"journeys": group(ALONE)}, "ops": ()},
        "note journeys: 1 of its workers serve no ops port that was asked",
        "CARELINE_OPS_PORT",
    ),
    "a worker was killed": (
        {"vanished": (("gateway", "http://127.0.0.1:40105"),)},
        "attention gateway at http://127.0.0.1:40105: has ended without leaving",
        "careline run gateway",
    ),
    "the view is far behind": (
        {"ops": (), "groups": {}, "view_lag": 5_000},
        "attention view: is 5000 records behind; it may not be running",
        "careline run view",
    ),
    "not everything was answered": (
        {"unknown": {"brokers": "nothing within 1 s"}},
        "note brokers: not known: nothing within 1 s",
        "again",
    ),
}


@pytest.mark.parametrize(("fields", "what", "do"), BAD.values(), ids=BAD)
def test_a_bad_state_gets_a_clear_word_and_the_way_out(fields: dict[str, Any], what: str, do: str) -> None:
    """Each is told once, by what it is, and what to do about it is said beside it."""
    found = findings(well(**fields))
    [one] = [one for one in found if f"{one.weight} {one.about}: {one.what}" == what]
    assert do in one.do
    assert worst(found) == {"away": "away", "attention": "attention", "note": "well"}[one.weight]


def test_a_foreign_schema_that_readers_refuse_is_told() -> None:
    """Under one of our subjects; one that is read like ours is nobody's trouble."""
    said = [
        Difference(schema={}, refused=("amount: other decimal places",), differs=()),
        Difference(schema={}, refused=(), differs=("doc",)),
    ]
    foreign = tuple(
        subjects.Stranger(subject="s", record="r", version=at, schema_id=at, difference=one)
        for at, one in enumerate(said, 4)
    )
    seen = well(subjects=(subjects.SubjectState(subject="s", record="r", missing=(), strangers=foreign),))
    assert told(seen) == ["attention s: version 4 is not ours, and every reader refuses records written with it"]


def test_what_is_away_comes_first_and_says_what_follows_once() -> None:
    """Without the brokers nothing of them can be known: that is one finding, not ten."""
    seen = Seen(at=NOW, prefix="careline.")
    seen.servers = {"kafka": Answer(server="kafka", seconds=1, why="Kafka at x does not answer: nothing within 1 s")}
    seen.unknown = {"brokers": "nothing"}
    assert told(seen) == ["away kafka: Kafka at x does not answer: nothing within 1 s"]
    assert worst(findings(seen)) == "away"


def test_the_state_of_a_role_is_the_worst_that_is_known() -> None:
    """From the group that Kafka knows, and from what each worker says."""
    two = (member("0", 0, 1), member("1", 2, 3))
    both = (ops("journeys", 1), ops("journeys", 2))
    one_not = (ops("journeys", 1), ops("journeys", 2, ready=False, waiting_for=("partition 2",)))
    cases = {
        RoleState.READY: {"groups": {"journeys": group(*two)}, "ops": both},
        RoleState.NOT_READY: {"groups": {"journeys": group(*two)}, "ops": one_not},
        RoleState.RUNNING: {"groups": {"journeys": group(*two)}, "ops": both[:1]},
        RoleState.REBALANCING: {"groups": {"journeys": group(*two, state="PreparingRebalance")}, "ops": ()},
        RoleState.STOPPED: {"groups": {"journeys": group()}, "ops": ()},
        RoleState.NEVER: {"groups": {"journeys": group(committed=False)}, "ops": ()},
        RoleState.UNKNOWN: {"groups": {}, "ops": ()},
    }
    assert {state_of("journeys", well(**fields)) for fields in cases.values()} == set(cases)
    for state, fields in cases.items():
        assert state_of("journeys", well(**fields)) is state
    assert state_of("view", well(ops=(), view_built=False)) is RoleState.NEVER
    assert state_of("gateway", well(ops=())) is RoleState.UNKNOWN
    killed = well(ops=(), vanished=(("gateway", "http://127.0.0.1:9105"),))
    assert state_of("gateway", killed) is RoleState.STOPPED
    assert [one for one in told(killed) if "gateway" in one] == [
        "attention gateway at http://127.0.0.1:9105: has ended without leaving"
    ]
    assert set(cases) == set(RoleState)


def test_every_weight_is_used() -> None:
    """Each is what some state of the list above has."""
    weights = {one.weight for fields, _, _ in BAD.values() for one in findings(well(**fields))}
    assert weights == set(Weight)
