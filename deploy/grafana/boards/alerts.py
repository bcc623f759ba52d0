"""Alerts as panels show them. Their names are those of the rules in deploy/prometheus/rules and of docs/runbooks."""

from __future__ import annotations

from deploy.grafana.model import Colour, Mapped, Panel, Query, states

COMMITS = ("EventsCommitTooSlow",)
LETTERS = ("LettersLeaveTooLate",)
LOST = ("RecordsLost", "DeadLetters", "UncertainLetters")


def firing(*names: str, width: int = 12, height: int = 6) -> Panel:
    """When which of these alerts was pending or firing; without names, any of all."""
    chosen = f', alertname=~"{"|".join(names)}"' if names else ""
    both = f'ALERTS{{alertstate="firing"{chosen}}} * 2 or ALERTS{{alertstate="pending"{chosen}}}'
    return states(
        title="Alerts of this dashboard" if names else "Alerts",
        description="Each alert's state over time. Pending: its condition holds, but not yet for long enough. "
        "Firing: Alertmanager was told, and somebody is to act; the panel's links lead to the runbooks.",
        queries=(Query(f"max by (alertname) ({both})", legend="{{alertname}}"),),
        mapped=(Mapped(1, "pending", Colour.WARN), Mapped(2, "firing", Colour.BAD)),
        width=width,
        height=height,
        nothing="no alert is pending or firing",
        alerts=names,
        leads_to="${runbooks}/${__field.labels.alertname}.md",
    )
