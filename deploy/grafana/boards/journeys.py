"""Journeys: how touchpoints become decisions, how far the partitions are, and whether deadlines fire in time."""

from __future__ import annotations

from deploy.grafana.boards.alerts import COMMITS, firing
from deploy.grafana.boards.glance import KINDS
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
    chart,
    heatmap,
    stat,
    table,
    worse_above,
)
from deploy.grafana.promql import grown, most, or_zero, quantile, rate, rounded

MINE = 'role="journeys", instance=~"$instance"'
_COMMIT = "careline_processor_event_to_commit_seconds"

_NOW = Row(
    "",
    (
        stat(
            title="Touchpoints",
            description="Touchpoints committed each minute. Zero in the day: no service publishes, or journeys is "
            "stuck (then the age beside it rises).",
            queries=(Query(rate(f"careline_processor_records_total{{{MINE}}}", minute=True)),),
            unit=Unit.PER_MINUTE,
            trend=True,
        ),
        stat(
            title="Committed (99 %)",
            description="Time from an event's publication to the commit of its effects, all but one in a hundred. "
            "Above a second the objective is missed.",
            queries=(Query(quantile(0.99, _COMMIT, selector=f"{{{MINE}}}")),),
            unit=Unit.SECONDS,
            trend=True,
            thresholds=worse_above(0.5, 1),
            nothing="no events",
            alerts=COMMITS,
        ),
        stat(
            title="Oldest not handled",
            description="Its age, over all partitions; 0 if none waits. Rises: more comes than is handled, or a "
            "partition is stuck. Add workers, up to the number of partitions.",
            queries=(Query(f"max(careline_processor_lag_seconds{{{MINE}}})"),),
            unit=Unit.SECONDS,
            trend=True,
            thresholds=worse_above(5, 60),
            alerts=("ProcessorStalled",),
        ),
        stat(
            title="Partitions stopped",
            description="Partitions that stopped because most of their records are unreadable. Any: every customer "
            "on it hears nothing until somebody acts.",
            queries=(Query(or_zero(f"sum(careline_processor_partitions_stopped{{{MINE}}})")),),
            decimals=0,
            thresholds=worse_above(1),
            alerts=("PartitionStopped",),
        ),
        stat(
            title="Deadline overdue",
            description="How long the oldest due deadline has waited to fire. Rises: promises to customers (an "
            "answer by noon, a second letter) are kept late.",
            queries=(Query(f"max(careline_processor_deadline_overdue_seconds{{{MINE}}})"),),
            unit=Unit.SECONDS,
            thresholds=worse_above(10, 60),
            alerts=("DeadlinesLate",),
        ),
        stat(
            title="Playbook refused",
            description="A file with mistakes is on disk, and the one before it stays in force. `careline playbook "
            "check` names every mistake.",
            queries=(Query("max(careline_playbook_refused)"),),
            mapped=(Mapped(0, "no", Colour.GOOD), Mapped(1, "refused", Colour.BAD)),
            alerts=("PlaybookRefused", "PlaybooksDiffer"),
        ),
    ),
)

_SPEED = Row(
    "How fast",
    (
        heatmap(
            title="From event to commit",
            description="How many events took how long, from their publication to the commit of their effects. A "
            "second band that appears above the first: one partition or one kind of event is slow.",
            queries=(Query(f"sum by (le) (increase({_COMMIT}_bucket{{{MINE}}}[$__rate_interval]))", legend="{{le}}"),),
            unit=Unit.SECONDS,
            nothing="no events",
            alerts=COMMITS,
        ),
        chart(
            title="Where the time goes",
            description="All but one in a hundred: from event to commit, and the part of it that is the transaction. "
            "The distance between the two is waiting: for a poll, behind other records, for a partition to be taken "
            "over.",
            queries=(
                Query(quantile(0.99, _COMMIT, selector=f"{{{MINE}}}"), legend="event to commit", exemplars=True),
                Query(
                    quantile(0.99, "careline_processor_transaction_seconds", selector=f"{{{MINE}}}"),
                    legend="transaction",
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(1),
            nothing="no events",
            alerts=COMMITS,
        ),
    ),
)

_WORK = Row(
    "What was done",
    (
        bars(
            title="Touchpoints, by type",
            description="Touchpoints of the shown time, the most frequent types. One that is missing: its publisher "
            "is silent.",
            queries=(
                Query(
                    most(8, grown("careline_touchpoints_total", by="record")),
                    legend="{{record}}",
                ),
            ),
            decimals=0,
            width=8,
            nothing="no touchpoint",
        ),
        chart(
            title="Records, by how they were handled",
            description="Folded is the ordinary case. Duplicates: a publisher repeats itself. too_late and "
            "passed_over: events from long ago arrive. dead_letter: somebody publishes what cannot be read.",
            queries=(
                Query(
                    rate(f"careline_processor_records_total{{{MINE}}}", by="handling", minute=True),
                    legend="{{handling}}",
                ),
            ),
            unit=Unit.PER_MINUTE,
            stacked=True,
            colours=(("folded", Colour.GOOD), ("dead_letter", Colour.BAD)),
            width=8,
            alerts=("DeadLetters",),
        ),
        chart(
            title="Decisions, by kind",
            description="What policies wanted and the guard allowed. SUPPRESS that rises against SEND: a frequency "
            "cap, consent or quiet hours stop what a policy wants.",
            queries=(Query(rate("careline_decisions_total", by="kind", minute=True), legend="{{kind}}"),),
            unit=Unit.PER_MINUTE,
            stacked=True,
            colours=KINDS,
            width=8,
            nothing="no decision",
        ),
        bars(
            title="Consent, by change",
            description="Consents given, withdrawn, and opt-outs from letters, in the shown time. Opt-outs and "
            "complaints rise: we write too often, or of the wrong things.",
            queries=(
                Query(
                    most(8, grown("careline_consent_changes_total", by="purpose, change")),
                    legend="{{change}}: {{purpose}}",
                ),
            ),
            decimals=0,
            width=8,
            height=7,
            nothing="nobody changed their consent",
            alerts=("ComplaintsHigh",),
        ),
        chart(
            title="Deadlines",
            description="Deadlines fired each minute, and how late: all but one in a hundred, by wall time. Late "
            "ones are promises to customers that are kept late.",
            queries=(
                Query(
                    quantile(0.99, "careline_processor_deadline_lateness_seconds", selector=f"{{{MINE}}}"),
                    legend="late by (99 %)",
                ),
                Query(f"max(careline_processor_deadline_overdue_seconds{{{MINE}}})", legend="overdue now"),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(10),
            width=8,
            height=7,
            nothing="no deadline",
            alerts=("DeadlinesLate",),
        ),
        stat(
            title="Deadlines set, and fired",
            description="How many deadlines stand in the states, and how many fired in the shown time. None fires "
            "for hours by day: the clocks of the partitions stand still.",
            queries=(
                Query(f"sum(careline_processor_deadlines{{{MINE}}})", legend="set"),
                Query(or_zero(rounded(grown(f"careline_processor_timers_fired_total{{{MINE}}}"))), legend="fired"),
            ),
            decimals=0,
            width=8,
            height=7,
            alerts=("DeadlinesLate",),
        ),
    ),
)

_STATE = Row(
    "Partitions and playbook",
    (
        table(
            title="Partitions",
            description="Each partition's lag, keys, state and deadlines. One that lags while the others do not: it "
            "is stuck, or one customer is very busy. Growing state: see how long journeys are kept.",
            queries=(
                Query(f"max by (partition) (careline_processor_lag_records{{{MINE}}})"),
                Query(f"max by (partition) (careline_processor_lag_seconds{{{MINE}}})"),
                Query(f"sum by (partition) (careline_processor_keys{{{MINE}}})"),
                Query(f"sum by (partition) (careline_processor_state_bytes{{{MINE}}})"),
                Query(f"sum by (partition) (careline_processor_deadlines{{{MINE}}})"),
            ),
            columns=(
                Column("partition", "partition"),
                Column("A", "records behind", Unit.COUNT, worse_above(1_000, 10_000)),
                Column("B", "seconds behind", Unit.SECONDS, worse_above(5, 60)),
                Column("C", "customers", Unit.COUNT),
                Column("D", "state", Unit.BYTES),
                Column("E", "deadlines", Unit.COUNT),
            ),
            nothing="no partition is owned",
            alerts=("ProcessorStalled",),
        ),
        table(
            title="Playbook in force",
            description="Workers with different versions for longer than a reload takes do not read the same "
            "file: customers are then treated by chance of their partition.",
            queries=(Query("count by (role, version) (careline_playbook_info == 1)"),),
            columns=(
                Column("role", "role"),
                Column("version", "version"),
                Column("A", "workers", Unit.COUNT),
            ),
            width=6,
            alerts=("PlaybooksDiffer",),
        ),
        bars(
            title="Out of the ordinary",
            description="In the shown time: touchpoints with an unknown time zone (their customers' letters are held "
            "by night rules), transactions repeated item by item, playbook files taken and refused.",
            queries=(
                Query(or_zero(rounded(grown('careline_unknown_time_zones_total'))), legend="unknown zones"),
                Query(
                    or_zero(rounded(grown(f"careline_processor_isolations_total{{{MINE}}}"))),
                    legend="repeated batches",
                ),
                Query(
                    or_zero(rounded(grown('careline_playbook_reloads_total{result="taken"}'))),
                    legend="playbooks taken",
                ),
                Query(
                    or_zero(rounded(grown('careline_playbook_reloads_total{result="refused"}'))),
                    legend="playbooks refused",
                ),
            ),
            decimals=0,
            width=6,
            alerts=("PlaybookRefused",),
        ),
        firing(
            *COMMITS, "PartitionStopped", "ProcessorStalled", "DeadlinesLate", "PlaybooksDiffer", "PlaybookRefused",
            width=24,
            height=5,
        ),
    ),
)  # fmt: skip

JOURNEYS = Dashboard(
    uid="careline-journeys",
    title="Journeys",
    description="How touchpoints become decisions: how fast, how far each partition is, whether deadlines fire in "
    "time.",
    rows=(_NOW, _SPEED, _WORK, _STATE),
    variables=(Variable.INSTANCE,),
)
