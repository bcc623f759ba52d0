"""View, measure, gateway: what staff see, what we learn of our own effect, and how customers and providers reach us."""

from __future__ import annotations

from deploy.grafana.boards.alerts import firing
from deploy.grafana.model import (
    Colour,
    Column,
    Dashboard,
    Query,
    Row,
    Unit,
    Variable,
    bars,
    chart,
    stat,
    table,
    worse_above,
)
from deploy.grafana.promql import grown, most, or_zero, quantile, rate, rounded

_TOPICS = '{topic=~"$prefix.*"}'
_CALLS = "careline_gateway_calls_total"

_NOW = Row(
    "",
    (
        stat(
            title="View is behind",
            description="Age of the oldest record that the view does not show yet. Rises: staff on the phone do not "
            "see what the customer has just done.",
            queries=(Query(f"max(careline_view_lag_seconds{_TOPICS})"),),
            unit=Unit.SECONDS,
            trend=True,
            thresholds=worse_above(10, 60),
            alerts=("ViewBehind",),
        ),
        stat(
            title="Tasks overdue",
            description="Tasks for staff whose time has passed. Any: a customer was promised a person, and nobody "
            "came.",
            queries=(Query(or_zero("sum(careline_view_tasks_overdue)")),),
            decimals=0,
            thresholds=worse_above(1, 10),
            alerts=("TasksOverdue",),
        ),
        stat(
            title="Measure is behind",
            description="Records that the measurements have not counted yet. Rises: the figures about our effect are "
            "old; no customer is harmed.",
            queries=(Query(f"sum(careline_measure_lag_records{_TOPICS})"),),
            decimals=0,
            trend=True,
            thresholds=worse_above(1_000, 10_000),
            alerts=("MeasureBehind",),
        ),
        stat(
            title="Gateway failures",
            description="The share of calls in the shown time that we could not serve (5xx). Rises: opt-outs and "
            "reports of providers do not reach us; people who said no are written to.",
            queries=(Query("({}) / ({} > 0)".format(or_zero(grown(_CALLS + '{status=~"5.."}')), grown(_CALLS))),),
            unit=Unit.RATIO,
            decimals=2,
            thresholds=worse_above(0.001, 0.01),
            nothing="no call",
            alerts=("GatewayFailing",),
        ),
        stat(
            title="Redis holds",
            description="Memory that the view's Redis uses. Grows towards its limit: it will drop customers; raise "
            "the limit, or shorten what the view keeps (docs/operating.md).",
            queries=(Query("max(careline_view_redis_bytes)"),),
            unit=Unit.BYTES,
            trend=True,
            alerts=("RedisAway", "MemoryHigh"),
        ),
        stat(
            title="View rebuilt",
            description="How often the view was rebuilt in the shown time. More than one after a start: Redis loses "
            "its data, and meanwhile staff see half of a customer.",
            queries=(Query(or_zero(rounded(grown("careline_view_rebuilds_total")))),),
            decimals=0,
            thresholds=worse_above(2),
            alerts=("RedisAway",),
        ),
    ),
)

_VIEW = Row(
    "The view, and tasks for staff",
    (
        chart(
            title="Records not shown yet, by topic",
            description="Rises for all topics: the view or Redis is slow or away. For one topic alone: something of "
            "its records takes long.",
            queries=(Query(f"sum by (topic) (careline_view_lag_records{_TOPICS})", legend="{{topic}}"),),
            width=9,
            stacked=True,
            alerts=("ViewBehind",),
        ),
        chart(
            title="Records shown, by topic",
            description="Records projected into Redis each minute. Zero while others work: the view waits for Redis.",
            queries=(
                Query(rate(f"careline_view_records_total{_TOPICS}", by="topic", minute=True), legend="{{topic}}"),
            ),
            unit=Unit.PER_MINUTE,
            width=9,
            stacked=True,
            alerts=("ViewBehind",),
        ),
        table(
            title="Tasks for staff, by team",
            description="Open tasks, and those of them whose time has passed. `careline tasks --team` lists them, "
            "the longest overdue first.",
            queries=(
                Query("sum by (team) (careline_view_tasks_open)"),
                Query("sum by (team) (careline_view_tasks_overdue)"),
            ),
            columns=(
                Column("team", "team"),
                Column("A", "open", Unit.COUNT),
                Column("B", "overdue", Unit.COUNT, worse_above(1, 10)),
            ),
            width=6,
            nothing="no open task",
            alerts=("TasksOverdue",),
        ),
    ),
)

_EFFECT = Row(
    "What our care is worth",
    (
        table(
            title="Satisfaction",
            description="Mean answer (1 to 5) of customers we wrote to and of others, each with the bounds of its 95 "
            "% interval. Bounds that overlap: no difference is shown, however far apart the means are.",
            queries=(
                Query("avg by (group) (careline_measure_satisfaction_mean)"),
                Query('avg by (group) (careline_measure_satisfaction_bound{bound="low"})'),
                Query('avg by (group) (careline_measure_satisfaction_bound{bound="high"})'),
                Query("sum by (group) (careline_measure_satisfaction_answers)"),
            ),
            columns=(
                Column("group", "customers"),
                Column("A", "mean", Unit.COUNT),
                Column("B", "at least", Unit.COUNT),
                Column("C", "at most", Unit.COUNT),
                Column("D", "answers", Unit.COUNT),
            ),
            decimals=2,
            width=8,
            height=6,
            nothing="nobody answered yet",
        ),
        table(
            title="Letters and gestures, by policy",
            description="Since the measurements began. A gesture that few redeem is not worth what it costs.",
            queries=(
                Query("sum by (policy) (careline_measure_letters)"),
                Query("sum by (policy) (careline_measure_redeemed)"),
            ),
            columns=(
                Column("policy", "policy"),
                Column("A", "letters", Unit.COUNT),
                Column("B", "redeemed", Unit.COUNT),
            ),
            decimals=0,
            width=8,
            height=6,
            nothing="no letter yet",
        ),
        bars(
            title="Facts counted",
            description="Facts that the measurements took in during the shown time, the most frequent. None while "
            "touchpoints come in: measure is stuck.",
            queries=(Query(most(5, grown("careline_measure_records_total", by="record")), legend="{{record}}"),),
            decimals=0,
            width=8,
            height=6,
            nothing="nothing was counted",
            alerts=("MeasureBehind",),
        ),
    ),
)

_GATEWAY = Row(
    "The gateway",
    (
        chart(
            title="Calls, by status",
            description="Calls each minute. 401 or 400 rises: a provider signs or reports wrongly; 404: broken links "
            "in letters; 503: the brokers do not answer, and opt-outs are not stored.",
            queries=(Query(rate(_CALLS, by="status", minute=True), legend="{{status}}"),),
            unit=Unit.PER_MINUTE,
            stacked=True,
            colours=(("200", Colour.GOOD), ("202", Colour.GOOD), ("503", Colour.BAD)),
            width=8,
            nothing="no call",
            alerts=("GatewayFailing",),
        ),
        chart(
            title="How long an answer takes",
            description="All but one in a hundred, by kind of call. Rises: the brokers are slow; from a few seconds "
            "on people close the page, and their opt-out is lost.",
            queries=(Query(quantile(0.99, "careline_gateway_seconds", by="kind"), legend="{{kind}}"),),
            unit=Unit.SECONDS,
            thresholds=worse_above(1),
            width=8,
            nothing="no call",
            alerts=("GatewayFailing",),
        ),
        bars(
            title="Connections closed",
            description="Because there were too many, in the shown time. made_room: somebody opens connections and "
            "says nothing. refused: more come than are provided for, and customers among them.",
            queries=(Query(most(8, grown("careline_http_connections_closed_total", by="role, why")),
                           legend="{{role}}: {{why}}"),),
            decimals=0,
            width=8,
            nothing="none",
            alerts=("GatewayFailing",),
        ),
        firing(
            "ViewBehind", "MeasureBehind", "RedisAway", "TasksOverdue", "GatewayFailing", width=24, height=5
        ),
    ),
)  # fmt: skip

VIEW = Dashboard(
    uid="careline-view",
    title="View, measure, gateway",
    description="What staff see, what we learn of our own effect, and how customers and providers reach us.",
    rows=(_NOW, _VIEW, _EFFECT, _GATEWAY),
    variables=(Variable.PREFIX,),
)
