"""Kafka and processes: is every role there, do its servers answer, how do its workers share the partitions."""

from __future__ import annotations

from deploy.grafana.boards.alerts import firing
from deploy.grafana.model import (
    Colour,
    Column,
    Dashboard,
    Mapped,
    Query,
    Row,
    Unit,
    Variable,
    bars,
    better_above,
    chart,
    states,
    table,
    worse_above,
)
from deploy.grafana.promql import grown, rate

_CHOSEN = 'role=~"$role", instance=~"$instance"'
_JOB = f'job="careline", {_CHOSEN}'
_DOWN = Mapped(0, "away", Colour.BAD)

_ROLES = Row(
    "",
    (
        states(
            title="Roles",
            description="The worst worker of each role. Away: it does not answer, or its target is gone. Not ready: "
            "`/readyz` says what it waits for. Broken: `/livez` says why; it does not recover by itself, restart it.",
            queries=(
                Query(
                    f"min by (role) ((1 + careline_role_ready{{{_JOB}}} + careline_role_live{{{_JOB}}}) * up{{{_JOB}}} "
                    f"or up{{{_JOB}}} * 3)",
                    legend="{{role}}",
                ),
            ),
            mapped=(
                _DOWN,
                Mapped(1, "broken", Colour.BAD),
                Mapped(2, "not ready", Colour.WARN),
                Mapped(3, "ready", Colour.GOOD),
            ),
            height=7,
            nothing="no role is scraped",
            alerts=("RoleAbsent", "RoleNotReady", "RoleRestarting"),
        ),
        states(
            title="Servers, as the roles see them",
            description="Whether each server answered the role that needs it. Away for all roles: the server. For "
            "one role: its network, or its credentials.",
            queries=(
                Query(
                    f"min by (role, dependency) (careline_dependency_up{{{_CHOSEN}}})",
                    legend="{{dependency}}, for {{role}}",
                ),
            ),
            mapped=(_DOWN, Mapped(1, "answers", Colour.GOOD)),
            height=7,
            nothing="no role has asked yet",
            alerts=("KafkaAway", "RegistryAway", "RedisAway", "MailAway"),
        ),
        chart(
            title="How long servers take",
            description="Their last answer to a role, in the worst case. Rises for one server: it is busy; all "
            "others that share its machine may follow.",
            queries=(
                Query(f"max by (dependency) (careline_dependency_seconds{{{_CHOSEN}}})", legend="{{dependency}}"),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(1),
            width=8,
            height=7,
            alerts=("KafkaAway", "RegistryAway", "RedisAway", "MailAway"),
        ),
        table(
            title="Workers",
            description="Each worker with its version, start, and how far its clock is from Prometheus's (positive: "
            "ahead). A young age that was not a deployment: it restarts. Clocks that differ: quiet hours are missed.",
            queries=(
                Query(f"max by (role, instance, version, python) (careline_build_info{{{_JOB}}})"),
                Query(f"max by (role, instance) (time() - process_start_time_seconds{{{_JOB}}})"),
                Query(
                    f"max by (role, instance) (careline_clock_seconds{{{_JOB}}} "
                    f"- timestamp(careline_clock_seconds{{{_JOB}}}))"
                ),
            ),
            columns=(
                Column("role", "role"),
                Column("instance", "worker"),
                Column("version", "version"),
                Column("python", "Python"),
                Column("B", "runs for", Unit.SECONDS),
                Column("C", "clock", Unit.SECONDS),
            ),
            width=16,
            height=7,
            decimals=1,
            nothing="no worker is scraped",
            alerts=("RoleRestarting", "ClockOff"),
        ),
    ),
)

_KAFKA = Row(
    "Partitions and transactions",
    (
        chart(
            title="Records behind",
            description="Input records not handled yet, by role. Rises steadily: more arrive than are handled; add "
            "workers, up to the number of partitions. Falls in a straight line: it is catching up.",
            queries=(Query(f"sum by (role) (careline_processor_lag_records{{{_CHOSEN}}})", legend="{{role}}"),),
            width=8,
            alerts=("ProcessorStalled",),
        ),
        chart(
            title="Records written, by topic",
            description="Records committed to output topics each minute. All stop at once: no transaction commits.",
            queries=(
                Query(
                    rate(f'careline_processor_sent_total{{{_CHOSEN}, topic=~"$prefix.*"}}', by="topic", minute=True),
                    legend="{{topic}}",
                ),
            ),
            unit=Unit.PER_MINUTE,
            stacked=True,
            width=8,
            alerts=("ProcessorStalled",),
        ),
        chart(
            title="Transactions, by how they ended",
            description="Each minute. Aborted rises: the brokers are away, or two workers compete for a partition. "
            "One or two at a start or a stop are ordinary.",
            queries=(
                Query(
                    rate(f"careline_processor_transactions_total{{{_CHOSEN}}}", by="role, end", minute=True),
                    legend="{{role}}: {{end}}",
                ),
            ),
            unit=Unit.PER_MINUTE,
            colours=(("journeys: aborted", Colour.BAD), ("outreach: aborted", Colour.WARN)),
            width=8,
            alerts=("TransactionsAborting",),
        ),
        chart(
            title="Who owns the partitions",
            description="Partitions each worker processes. A gap: they belong to nobody, and their customers wait. "
            "Shifts again and again: the group does not settle.",
            queries=(
                Query(
                    f"sum by (role, instance) (careline_processor_partitions_owned{{{_CHOSEN}}})",
                    legend="{{role}} at {{instance}}",
                ),
            ),
            stacked=True,
            width=8,
            alerts=("PartitionStopped", "RebalanceStorm", "RoleAbsent"),
        ),
        chart(
            title="Rebalances and recoveries",
            description="Assignments received and partitions taken over, in each rate's window. More than "
            "deployments explain: workers do not poll in time, or transactions fail.",
            queries=(
                Query(
                    grown(f"careline_processor_rebalances_total{{{_CHOSEN}}}", by="role", window="$__rate_interval"),
                    legend="{{role}}: rebalances",
                ),
                Query(
                    grown(f"careline_processor_recoveries_total{{{_CHOSEN}}}", by="role", window="$__rate_interval"),
                    legend="{{role}}: recoveries",
                ),
            ),
            width=8,
            alerts=("RebalanceStorm",),
        ),
        chart(
            title="Recovery, time left",
            description="Until the slowest partition has its state again, at the pace so far. Rises: reading is slow "
            "or the brokers are; its customers wait so long.",
            queries=(
                Query(
                    f"max by (role) (careline_processor_recovery_remaining_seconds{{{_CHOSEN}}})", legend="{{role}}"
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(60),
            width=8,
            alerts=("RecoverySlow",),
        ),
        table(
            title="Recovery and work under way",
            description="State records still to read, how long recoveries took (all but one in twenty), and side "
            "effects in flight. In flight stays high: a provider does not answer.",
            queries=(
                Query(f"sum by (role) (careline_processor_recovery_remaining_records{{{_CHOSEN}}})"),
                Query(
                    "histogram_quantile(0.95, sum by (le, role) "
                    f"(careline_processor_recovery_seconds_bucket{{{_CHOSEN}}}))"
                ),
                Query(f"sum by (role) (careline_processor_effects_in_flight{{{_CHOSEN}}})"),
                Query(f"sum by (role) (careline_processor_state_bytes{{{_CHOSEN}}})"),
                Query(f"sum by (role) (careline_processor_keys{{{_CHOSEN}}})"),
            ),
            columns=(
                Column("role", "role"),
                Column("A", "still to read", Unit.COUNT, worse_above(1, 1_000_000)[:2]),
                Column("B", "recovery took", Unit.SECONDS),
                Column("C", "in flight", Unit.COUNT),
                Column("D", "state", Unit.BYTES),
                Column("E", "keys", Unit.COUNT),
            ),
            height=6,
            nothing="no processor is scraped",
            alerts=("RecoverySlow",),
        ),
        firing(
            "RoleAbsent", "RoleNotReady", "RoleRestarting", "PartitionStopped", "RebalanceStorm", "RecoverySlow",
            "TransactionsAborting", "KafkaAway", "RegistryAway", "RedisAway", "MailAway", "CertificateExpires",
            "ClockOff", "MemoryHigh",
        ),
    ),
)  # fmt: skip

_MACHINE = Row(
    "Processes",
    (
        chart(
            title="Memory, by role",
            description="Resident memory of the largest worker. Grows for days: state grows (see *Journeys*), or it "
            "leaks. Near the container's limit it is killed and recovers from its topics.",
            queries=(Query(f"max by (role) (process_resident_memory_bytes{{{_JOB}}})", legend="{{role}}"),),
            unit=Unit.BYTES,
            width=8,
            alerts=("MemoryHigh",),
        ),
        chart(
            title="Processor time, by role",
            description="Of the busiest worker, as a share of one core. Near 100 %: it cannot go faster; add a worker.",
            queries=(
                Query(
                    f"max by (role) (rate(process_cpu_seconds_total{{{_JOB}}}[$__rate_interval]))", legend="{{role}}"
                ),
            ),
            unit=Unit.RATIO,
            thresholds=worse_above(0.9),
            width=8,
        ),
        bars(
            title="Certificates end in",
            description="Time until the first certificate of each server ends, as the roles see it; only where TLS "
            "is used. From then on nothing connects any more.",
            queries=(
                Query(
                    "sort(min by (endpoint) (careline_certificate_expiry_timestamp_seconds - time()))",
                    legend="{{endpoint}}",
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=better_above(7 * 86_400, 21 * 86_400),
            width=8,
            nothing="no server is reached by TLS",
            alerts=("CertificateExpires",),
        ),
    ),
)

PROCESSES = Dashboard(
    uid="careline-processes",
    title="Kafka and processes",
    description="Is every role there, do its servers answer, and how do its workers share the partitions.",
    rows=(_ROLES, _KAFKA, _MACHINE),
    variables=(Variable.ROLE, Variable.INSTANCE, Variable.PREFIX),
)
