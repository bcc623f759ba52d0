"""Care at a glance: are customers cared for in time, is anything lost, and who waits."""

from __future__ import annotations

from deploy.grafana.boards.alerts import COMMITS, LETTERS, LOST, firing
from deploy.grafana.model import (
    Colour,
    Column,
    Dashboard,
    Mapped,
    Query,
    Row,
    Unit,
    bars,
    better_above,
    chart,
    stat,
    table,
    worse_above,
)
from deploy.grafana.promql import budget_left, grown, most, or_zero, quantile, rate, rounded

EVENT_TO_COMMIT = "careline_processor_event_to_commit_seconds"
DUE_TO_SENT = "careline_outreach_due_to_sent_seconds"
LETTER = 'channel!="AGENT_TASK"'
"""A task for staff is no letter."""

SENT = f'careline_outreach_outcomes_total{{outcome="sent", {LETTER}}}'
UNCERTAIN = 'careline_outreach_outcomes_total{outcome="uncertain"}'
EVENT_TO_LETTER = "careline_outreach_event_to_letter_seconds"

KINDS = (
    ("SEND", Colour.GOOD),
    ("ESCALATE", Colour.CALM),
    ("HOLD", Colour.WARN),
    ("SUPPRESS", Colour.QUIET),
    ("RETRACT", Colour.BAD),
)

_OBJECTIVES = Row(
    "",
    (
        stat(
            title="Event budget left",
            description="What is left of the error budget of the shown time: 99 % of events are to have their "
            "consequences committed within a second. Falls: decisions are late, and so are all letters after them. "
            "Below 0 the objective is missed for the shown time.",
            queries=(Query(budget_left(EVENT_TO_COMMIT, 1, objective=0.99, selector='role="journeys"')),),
            unit=Unit.RATIO,
            decimals=0,
            low=None,
            thresholds=better_above(0.0, 0.5),
            nothing="no events",
            alerts=COMMITS,
        ),
        stat(
            title="Letter budget left",
            description="What is left of the error budget of the shown time: 99 % of letters are to be with their "
            "provider within ten seconds of the moment they might leave. Falls: customers hear of their trouble "
            "late. Below 0 the objective is missed for the shown time.",
            queries=(Query(budget_left(DUE_TO_SENT, 10, objective=0.99, selector=LETTER)),),
            unit=Unit.RATIO,
            decimals=0,
            low=None,
            thresholds=better_above(0.0, 0.5),
            nothing="no letters",
            alerts=LETTERS,
        ),
        stat(
            title="Lost or in doubt",
            description="Of the last day: dead letters, and letters of which nobody knows whether they arrived. Any: "
            "somebody was not heard, or may have got no answer; deal with each within a day (`careline dlq list`).",
            queries=(
                Query(
                    " + ".join(
                        f"({or_zero(rounded(grown(metric, window='1d')))})"
                        for metric in ("careline_dead_letters_total", UNCERTAIN)
                    )
                ),
            ),
            decimals=0,
            thresholds=worse_above(1),
            alerts=LOST,
        ),
        stat(
            title="Longest overdue",
            description="How long the oldest outreach that is due has been waiting. Rises: a customer waits for us "
            "right now; *Held, and why* says for what.",
            queries=(Query("max(careline_outreach_oldest_overdue_seconds)"),),
            unit=Unit.SECONDS,
            thresholds=worse_above(10, 60),
            alerts=("OutreachOverdue",),
        ),
        stat(
            title="Roles ready",
            description="The worst worker of each role. Not ready for longer than a start takes: the dashboard "
            "*Kafka and processes* shows what it waits for.",
            queries=(
                Query('min by (role) (careline_role_ready{job="careline"} or up{job="careline"})', legend="{{role}}"),
            ),
            mapped=(Mapped(0, "down", Colour.BAD), Mapped(1, "ready", Colour.GOOD)),
            width=8,
            nothing="no role is scraped",
            alerts=("RoleAbsent", "RoleNotReady"),
        ),
    ),
)

_ALERTS = Row(
    "",
    (
        chart(
            title="How fast the error budgets burn",
            description="The share of late events and letters of the last hour, as a multiple of what the objectives "
            "allow. 1: the budget of 30 days lasts 30 days; 6: five days; 14.4: two days, and somebody is called.",
            queries=(
                Query("slo:event_to_commit:error_ratio_rate1h / 0.01", legend="events"),
                Query("slo:letter:error_ratio_rate1h / 0.01", legend="letters"),
            ),
            unit=Unit.TIMES,
            thresholds=worse_above(6, 14.4),
            colours=(("events", Colour.CALM),),
            height=7,
            nothing="too few events in the last hour",
            alerts=COMMITS + LETTERS,
        ),
        firing(height=7),
    ),
)

_FLOW = Row(
    "What comes in, what goes out",
    (
        chart(
            title="From touchpoint to letter",
            description="Touchpoints taken in, decisions made from them, letters accepted by providers, each minute. "
            "Touchpoints stop: a service no longer publishes. Decisions stop alone: journeys is stuck. Letters stop "
            "alone: outreach or a provider is.",
            queries=(
                Query(rate("careline_touchpoints_total", minute=True), legend="touchpoints in"),
                Query(rate("careline_decisions_total", minute=True), legend="decisions"),
                Query(rate(SENT, minute=True), legend="letters out"),
            ),
            unit=Unit.PER_MINUTE,
            alerts=("ProcessorStalled",),
        ),
        chart(
            title="How long a customer waits for a letter",
            description="From the touchpoint's publication until a provider accepted the letter, letters that were "
            "not held. Half of all, and all but one in a hundred. Both rise: outreach or a provider is slow; only "
            "the slowest rise: one channel or partition is.",
            queries=(
                Query(quantile(0.5, EVENT_TO_LETTER), legend="half within"),
                Query(quantile(0.99, EVENT_TO_LETTER), legend="99 % within", exemplars=True),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(10),
            nothing="no letter left",
            alerts=LETTERS,
        ),
    ),
)

_CARE = Row(
    "What was decided, and who waits",
    (
        table(
            title="Decisions, by policy",
            description="Decisions of the shown time. A policy that sends nothing any more, or suppresses most of "
            "what it wants: look at the reasons beside it.",
            queries=tuple(
                Query(rounded(grown(f'careline_decisions_total{{kind="{kind}"}}', by="policy"))) for kind, _ in KINDS
            ),
            columns=(
                Column("policy", "policy"),
                *(Column(letter, kind.lower(), Unit.COUNT) for letter, (kind, _) in zip("ABCDE", KINDS, strict=True)),
            ),
            nothing="no decision",
            height=9,
        ),
        bars(
            title="Why something was not sent",
            description="The most frequent reasons to hold, suppress or retract in the shown time (docs/care.md "
            "explains each). `policy_failed`: a policy raised an exception, and its customers hear nothing from it.",
            queries=(
                Query(
                    most(8, grown('careline_decisions_total{kind!~"SEND|ESCALATE"}', by="reason")),
                    legend="{{reason}}",
                ),
            ),
            width=6,
            height=9,
            decimals=0,
            nothing="nothing was held back",
        ),
        chart(
            title="Held, and why",
            description="Outreach that is wanted and has not left. quiet_hours and not_yet are care; retry, in_doubt "
            "and its_turn that grow are customers who wait because of us or a provider.",
            queries=(Query("sum by (reason) (careline_outreach_waiting)", legend="{{reason}}"),),
            stacked=True,
            width=6,
            height=9,
            colours=(("in_doubt", Colour.BAD), ("retry", Colour.WARN)),
            nothing="nobody waits",
            alerts=("OutreachOverdue",),
        ),
    ),
)

GLANCE = Dashboard(
    uid="careline-glance",
    title="Care at a glance",
    description="Are customers cared for in time, is anything lost, and who waits. Counts are of the shown time.",
    rows=(_OBJECTIVES, _ALERTS, _FLOW, _CARE),
)
