"""Outreach and providers: letters that leave, providers that answer, what recipients do, and who waits."""

from __future__ import annotations

from deploy.grafana.boards.alerts import LETTERS, firing
from deploy.grafana.boards.glance import DUE_TO_SENT, EVENT_TO_LETTER, LETTER, SENT, UNCERTAIN
from deploy.grafana.model import (
    Colour,
    Dashboard,
    Mapped,
    Query,
    Row,
    Unit,
    Variable,
    bars,
    better_above,
    chart,
    stat,
    states,
    worse_above,
)
from deploy.grafana.promql import grown, most, or_zero, quantile, rate, rounded, share_within

_MINE = '{instance=~"$instance"}'
_LETTERS = f'{{instance=~"$instance", {LETTER}}}'
_PROVIDER = "careline_outreach_provider_seconds"


def _share(kind: str) -> str:
    """Of the letters sent in the shown time, the share of which this was reported."""
    reported = grown(f'careline_outcomes_reported_total{{kind="{kind}"}}')
    return f"({or_zero(reported)}) / ({grown(SENT)} > 0)"


_NOW = Row(
    "",
    (
        stat(
            title="Letters accepted",
            description="Letters that providers accepted, each minute. Zero while outreach waits: a provider, its "
            "circuit, or the role has trouble.",
            queries=(Query(rate(SENT, minute=True)),),
            unit=Unit.PER_MINUTE,
            trend=True,
            nothing="no letters",
        ),
        stat(
            title="Within 10 s",
            description="The share of letters of the shown time that were with their provider within ten seconds of "
            "the moment they might leave. The objective is 99 %.",
            queries=(Query(share_within(DUE_TO_SENT, 10, selector=LETTER)),),
            unit=Unit.RATIO,
            decimals=1,
            thresholds=better_above(0.99, 0.995),
            nothing="no letters",
            alerts=LETTERS,
        ),
        stat(
            title="Uncertain letters",
            description="Of the last day: letters of which nobody knows whether the provider took them; they are not "
            "sent again. Any: look them up at the provider, and tell the customer another way if need be.",
            queries=(Query(or_zero(rounded(grown(UNCERTAIN, window="1d")))),),
            decimals=0,
            thresholds=worse_above(1),
            alerts=("UncertainLetters",),
        ),
        stat(
            title="Circuits open",
            description="Providers that are not called for a while after failures in a row. Any: letters to them "
            "wait, or take the customer's next address.",
            queries=(Query(f"sum(careline_outreach_circuits_open{_MINE})"),),
            decimals=0,
            thresholds=worse_above(1),
            alerts=("CircuitOpen",),
        ),
        stat(
            title="Bounced",
            description="Bounces reported, of the letters sent in the shown time. Above 2 %: addresses are old, or "
            "typed wrongly somewhere; above 5 % mailbox providers begin to refuse all of our mail.",
            queries=(Query(_share("BOUNCED")),),
            unit=Unit.RATIO,
            decimals=2,
            thresholds=worse_above(0.02, 0.05),
            nothing="no letters",
            alerts=("BouncesHigh",),
        ),
        stat(
            title="Complained",
            description="Complaints as spam, of the letters sent in the shown time. Mailbox providers want less than "
            "0.1 %, and from 0.3 % on put all of our letters into the spam folder.",
            queries=(Query(_share("COMPLAINED")),),
            unit=Unit.RATIO,
            decimals=2,
            thresholds=worse_above(0.001, 0.003),
            nothing="no letters",
            alerts=("ComplaintsHigh",),
        ),
    ),
)

_WAITING = Row(
    "Who waits",
    (
        chart(
            title="From due to accepted",
            description="From the moment a letter might leave until its provider accepted it. Half of all, and all "
            "but one in a hundred. Rises: outreach is behind, a provider is slow, or letters are tried again.",
            queries=(
                Query(quantile(0.5, DUE_TO_SENT, selector=_LETTERS), legend="half within"),
                Query(quantile(0.99, DUE_TO_SENT, selector=_LETTERS), legend="99 % within", exemplars=True),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(10),
            width=8,
            nothing="no letter left",
            alerts=LETTERS,
        ),
        chart(
            title="Outreach that waits, by reason",
            description="quiet_hours and not_yet are care. its_turn: behind another letter to the same customer. "
            "retry: a provider said later. in_doubt and calling that stay: a provider does not answer.",
            queries=(Query(f"sum by (reason) (careline_outreach_waiting{_MINE})", legend="{{reason}}"),),
            stacked=True,
            colours=(("in_doubt", Colour.BAD), ("retry", Colour.WARN)),
            width=8,
            nothing="nobody waits",
            alerts=("OutreachOverdue",),
        ),
        chart(
            title="Longest past its due time",
            description="How long the oldest due outreach has waited, and how old the oldest request not read yet "
            "is. Rises in a straight line: nothing leaves at all.",
            queries=(
                Query(f"max(careline_outreach_oldest_overdue_seconds{_MINE})", legend="oldest overdue"),
                Query(
                    'max(careline_processor_lag_seconds{role="outreach", instance=~"$instance"})',
                    legend="oldest not read",
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(60),
            width=8,
            alerts=("OutreachOverdue", "ProcessorStalled"),
        ),
    ),
)

_PROVIDERS = Row(
    "Providers",
    (
        chart(
            title="How long providers take",
            description="Duration of a call, all but one in twenty, by provider. Rises: it is about to fail; its "
            "circuit opens after failures in a row.",
            queries=(Query(quantile(0.95, _PROVIDER, selector=_MINE, by="provider"), legend="{{provider}}"),),
            unit=Unit.SECONDS,
            thresholds=worse_above(5),
            width=8,
            nothing="no call",
            alerts=("ProviderFailing",),
        ),
        bars(
            title="What providers refuse",
            description="Calls that failed in the shown time, by provider and reason. refused: the letter is wrong, "
            "or its address; try_later and rate_limited: too much at once; ambiguous: it broke off, nobody knows.",
            queries=(
                Query(
                    most(8, grown("careline_outreach_provider_errors_total", by="provider, reason")),
                    legend="{{provider}}: {{reason}}",
                ),
            ),
            decimals=0,
            width=8,
            nothing="no call failed",
            alerts=("ProviderFailing", "CircuitOpen"),
        ),
        states(
            title="Circuits",
            description="Closed: the provider is called. Open: it is left alone for a while, and letters to it wait "
            "or take the customer's next address.",
            queries=(
                Query(
                    f"clamp_max(max by (provider) (careline_outreach_circuits_open{_MINE}), 1)", legend="{{provider}}"
                ),
            ),
            mapped=(Mapped(0, "closed", Colour.GOOD), Mapped(1, "open", Colour.BAD)),
            width=8,
            nothing="no provider was called yet",
            alerts=("CircuitOpen",),
        ),
    ),
)

_RESULTS = Row(
    "What became of it",
    (
        chart(
            title="Calls, by outcome",
            description="Calls to providers each minute. postponed and withheld are not now (night, too late, "
            "retracted); failed or uncertain that rise: a provider has trouble.",
            queries=(
                Query(
                    rate(f"careline_outreach_outcomes_total{_MINE}", by="outcome", minute=True), legend="{{outcome}}"
                ),
            ),
            unit=Unit.PER_MINUTE,
            stacked=True,
            colours=(
                ("sent", Colour.GOOD),
                ("postponed", Colour.CALM),
                ("withheld", Colour.QUIET),
                ("failed", Colour.WARN),
                ("uncertain", Colour.BAD),
            ),
            width=8,
            nothing="no call",
            alerts=("ProviderFailing", "UncertainLetters"),
        ),
        bars(
            title="Letters that failed, by reason",
            description="Letters that ended without being sent, in the shown time. EXPIRED: too late to be of use; "
            "UNREACHABLE: no address left; TEMPLATE is our own mistake, and the log has it.",
            queries=(
                Query(
                    most(8, grown("careline_outreach_failures_total", by="channel, reason")),
                    legend="{{channel}}: {{reason}}",
                ),
            ),
            decimals=0,
            width=8,
            nothing="no letter failed",
            alerts=("ProviderFailing",),
        ),
        bars(
            title="What recipients did",
            description="Reports taken in, in the shown time. None while letters leave: providers' reports do not "
            "reach the gateway. COMPLAINED and UNSUBSCRIBED that rise: we write too much.",
            queries=(Query(most(8, grown("careline_outcomes_reported_total", by="kind")), legend="{{kind}}"),),
            decimals=0,
            width=8,
            nothing="nothing was reported",
            alerts=("BouncesHigh", "ComplaintsHigh"),
        ),
        chart(
            title="Letters out, by channel",
            description="Letters accepted each minute, by channel. One that stops alone: its provider has trouble.",
            queries=(Query(rate(SENT, by="channel", minute=True), legend="{{channel}}"),),
            unit=Unit.PER_MINUTE,
            stacked=True,
            width=8,
            height=7,
            nothing="no letters",
        ),
        chart(
            title="From touchpoint to letter, by channel",
            description="All but one in a hundred letters that were not held: this is how long a customer waits for "
            "us.",
            queries=(
                Query(quantile(0.99, EVENT_TO_LETTER, selector=_LETTERS, by="channel"), legend="{{channel}}"),
            ),
            unit=Unit.SECONDS,
            thresholds=worse_above(10),
            width=8,
            height=7,
            nothing="no letter left",
            alerts=LETTERS,
        ),
        firing(
            *LETTERS, "UncertainLetters", "CircuitOpen", "ProviderFailing", "BouncesHigh", "ComplaintsHigh",
            "OutreachOverdue", "MailAway", width=8, height=7,
        ),
    ),
)  # fmt: skip

OUTREACH = Dashboard(
    uid="careline-outreach",
    title="Outreach and providers",
    description="Letters that leave, providers that answer, what recipients do with them, and who waits.",
    rows=(_NOW, _WAITING, _PROVIDERS, _RESULTS),
    variables=(Variable.INSTANCE,),
)
