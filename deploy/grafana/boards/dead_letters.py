"""Dead letters and contracts: what could not be read, who sent it, and what each reader left out."""

from __future__ import annotations

from deploy.grafana.boards.alerts import firing
from deploy.grafana.model import (
    Colour,
    Column,
    Dashboard,
    Query,
    Row,
    Step,
    Unit,
    Variable,
    bars,
    chart,
    stat,
    table,
    worse_above,
)
from deploy.grafana.promql import grown, most, or_zero, rounded

_TOPICS = '{topic=~"$prefix.*"}'
_ROLE = '{role=~"$role"}'

_NOW = Row(
    "",
    (
        stat(
            title="Dead letters",
            description="Of the last day: records that could not be used and were put aside. Any: a customer was not "
            "heard. `careline dlq list` shows which, and `careline dlq republish` sends them again once they are "
            "mended.",
            queries=(Query(or_zero(rounded(grown(f"careline_dead_letters_total{_ROLE}", window="1d")))),),
            decimals=0,
            width=6,
            thresholds=worse_above(1),
            alerts=("DeadLetters", "RecordsLost"),
        ),
        stat(
            title="Publishers at fault",
            description="Of the last day: how many different sources sent something that breaks the contract. Each "
            "is a team to call.",
            queries=(
                Query(or_zero(f"count({grown('careline_contract_violations_total', by='source', window='1d')} > 0)")),
            ),
            decimals=0,
            width=6,
            thresholds=worse_above(1),
            alerts=("ContractViolations",),
        ),
        stat(
            title="Partitions stopped",
            description="Partitions that stopped because most of their records are unreadable: so many dead letters "
            "are no accident, and going on would lose them all from sight.",
            queries=(Query(or_zero(f"sum(careline_processor_partitions_stopped{_ROLE})")),),
            decimals=0,
            width=6,
            thresholds=worse_above(1),
            alerts=("PartitionStopped",),
        ),
        stat(
            title="Errors and warnings logged",
            description="Log lines of the shown time at these levels. Errors without dead letters: look at the "
            "role's log, something else is wrong.",
            queries=(
                Query(
                    rounded(grown("careline_log_messages_total", by="level")),
                    legend="{{level}}",
                ),
            ),
            decimals=0,
            width=6,
            thresholds=(Step(None, Colour.GOOD), Step(1, Colour.WARN)),
            nothing="none",
        ),
    ),
)

_WHAT = Row(
    "What, and from whom",
    (
        chart(
            title="Dead letters, by reason",
            description="When they were written. A burst: one bad deployment of a publisher. A steady trickle: one "
            "kind of record that nobody has noticed. `unprocessable` is a fault of ours.",
            queries=(
                Query(
                    grown(f"careline_dead_letters_total{_ROLE}", by="reason", window="$__rate_interval"),
                    legend="{{reason}}",
                ),
            ),
            stacked=True,
            nothing="no dead letter",
            alerts=("DeadLetters",),
        ),
        table(
            title="Violations of the contract, by source",
            description="In the shown time, by the publisher that sent them and what was wrong. Call the team that "
            "owns the source; the dead letter has the field and the value.",
            queries=(Query(rounded(grown("careline_contract_violations_total", by="source, reason")) + " > 0"),),
            columns=(
                Column("source", "source"),
                Column("reason", "reason"),
                Column("A", "records", Unit.COUNT, worse_above(1, 100)[1:]),
            ),
            nothing="everybody keeps to the contract",
            alerts=("ContractViolations",),
        ),
    ),
)

_LEFT_OUT = Row(
    "What each reader left out",
    (
        bars(
            title="Dead letters, by role and reason",
            description="Of the shown time. journeys reads touchpoints, outreach our own requests: a dead letter of "
            "outreach is always a fault of ours.",
            queries=(
                Query(
                    most(8, grown(f"careline_dead_letters_total{_ROLE}", by="role, reason")),
                    legend="{{role}}: {{reason}}",
                ),
            ),
            decimals=0,
            width=8,
            thresholds=worse_above(1)[1:],
            nothing="no dead letter",
            alerts=("DeadLetters",),
        ),
        bars(
            title="Left out by view and measure",
            description="Records that these two pass over, in the shown time: the same ones as the dead letters. "
            "More than those: reading the view, staff miss something that happened.",
            queries=(
                Query(
                    most(8, grown(f"careline_view_skipped_total{_TOPICS}", by="topic, reason")),
                    legend="view: {{topic}}, {{reason}}",
                ),
                Query(
                    most(8, grown(f"careline_measure_skipped_total{_TOPICS}", by="topic, reason")),
                    legend="measure: {{topic}}, {{reason}}",
                ),
            ),
            decimals=0,
            width=8,
            nothing="nothing was left out",
            alerts=("DeadLetters",),
        ),
        chart(
            title="Transactions repeated item by item",
            description="How often a transaction was repeated because one item in it failed. Rises: records arrive "
            "that pass the contract and that we cannot handle.",
            queries=(
                Query(
                    grown(f"careline_processor_isolations_total{_ROLE}", by="role", window="$__rate_interval"),
                    legend="{{role}}",
                ),
            ),
            width=8,
        ),
    ),
)

_PUBLISHERS = Row(
    "At the publishers",
    (
        table(
            title="Published and refused",
            description="Events that publishing services sent, and those that our library refused before they left. "
            "Refused: a service builds events that break the contract; its log names the field.",
            queries=(
                Query(rounded(grown("careline_events_published_total", by="record"))),
                Query(rounded(grown("careline_events_refused_total", by="record"))),
            ),
            columns=(
                Column("record", "record"),
                Column("A", "published", Unit.COUNT),
                Column("B", "refused", Unit.COUNT, worse_above(1)),
            ),
            nothing="no publishing service is scraped",
            alerts=("ContractViolations",),
        ),
        firing("RecordsLost", "DeadLetters", "ContractViolations", "PartitionStopped", height=8),
    ),
)

DEAD_LETTERS = Dashboard(
    uid="careline-dead-letters",
    title="Dead letters and contracts",
    description="What could not be read, who sent it, and what each reader left out.",
    rows=(_NOW, _WHAT, _LEFT_OUT, _PUBLISHERS),
    variables=(Variable.ROLE, Variable.PREFIX),
)
