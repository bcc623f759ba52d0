"""The choices above a dashboard, as Grafana's variables."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.model import Variable
from deploy.grafana.promql import EVERYTHING

RUNBOOKS = "https://git.example/careline/blob/main/docs/runbooks"
"""An example of an address; you type in where your people read docs/runbooks, as in prometheus.yml."""

_LABELS = {
    Variable.ROLE: 'label_values(up{job="careline"}, role)',
    Variable.INSTANCE: 'label_values(up{job="careline"}, instance)',
    Variable.PREFIX: "label_values(careline_processor_sent_total, topic)",
}
_PREFIX = "/^(.*)decisions$/"
"""Every deployment writes decisions; what is before the word is the prefix of all its topics."""


def variable(choice: Variable) -> Any:
    """The builder of one variable. Where several values can be chosen, all are at first."""
    if choice is Variable.DATASOURCE:
        return build.DatasourceVariable(choice).label("Data source").type("prometheus")
    if choice is Variable.RUNBOOKS:
        return (
            build.TextBoxVariable(choice)
            .label("Runbooks")
            .description("Address of the folder docs/runbooks, where your people read it.")
            .default_value(RUNBOOKS)
            .current(models.VariableOption(selected=True, text=RUNBOOKS, value=RUNBOOKS))
        )
    queried = (
        build.QueryVariable(choice)
        .label({Variable.PREFIX: "Topic prefix"}.get(choice, choice.capitalize()))
        .query({"query": _LABELS[choice], "refId": choice.capitalize()})
        .datasource(models.DataSourceRef(type_val="prometheus", uid="${datasource}"))
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .include_all(True)
        .all_value(EVERYTHING)
        .multi(choice is not Variable.PREFIX)
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )
    return queried.regex(_PREFIX) if choice is Variable.PREFIX else queried
