"""Grafana's JSON of a dashboard, made by grafana-foundation-sdk (one of the development's dependencies)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.model import TAG, Colour, Dashboard, Kind, Panel, Placed, Steps, Variable, placed
from deploy.grafana.variables import variable

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")

_LETTERS = "ABCDEFGH"
_INSTANT = (Kind.TABLE, Kind.BAR)


def made(dashboard: Dashboard) -> str:
    """The JSON that Grafana provisions: the same dashboard gives the same bytes."""
    builder = (
        build.Dashboard(dashboard.title)
        .uid(dashboard.uid)
        .description(dashboard.description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("10s")
        .link(
            build.DashboardLink("Careline")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(True)
            .keep_time(True)
        )
        .annotation(_alerts(dashboard))
    )
    for choice in dashboard.choices:
        builder.with_variable(variable(choice))
    for number, place in enumerate(placed(dashboard), start=1):
        if place.panel is None:
            builder.with_row(build.Row(place.title).id(number).grid_pos(_position(place)))
        else:
            builder.with_panel(_panel(place.panel).id(number).grid_pos(_position(place)))
    return json.dumps(builder.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _alerts(dashboard: Dashboard) -> build.AnnotationQuery:
    """Marks in every chart for the time that alerts of the dashboard were firing."""
    names = sorted({name for panel in dashboard.panels for name in panel.alerts})
    return (
        build.AnnotationQuery()
        .name("Alerts firing")
        .datasource(SOURCE)
        .enable(True)
        .icon_color(Colour.BAD)
        .expr(f'max by (alertname) (ALERTS{{alertstate="firing", alertname=~"{"|".join(names)}"}})')
    )


def _position(place: Placed) -> models.GridPos:
    return models.GridPos(h=place.height, w=place.width, x=place.x, y=place.y)


def _panel(panel: Panel) -> Any:
    # the builders of the kinds of panels have no class in common
    builder = _KINDS[panel.kind](panel)
    builder.title(panel.title).description(panel.description).datasource(SOURCE).unit(panel.unit)
    builder.no_value(panel.nothing).thresholds(_thresholds(panel.thresholds))
    builder.links([_link(f"Runbook: {name}", f"${{{Variable.RUNBOOKS}}}/{name}.md") for name in panel.alerts])
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    if panel.low is not None:
        builder.min(panel.low)
    if panel.high is not None:
        builder.max(panel.high)
    if panel.leads_to:
        builder.data_links([_link("Runbook", panel.leads_to)])
    if panel.mapped:
        words = {
            str(one.value): models.ValueMappingResult(text=one.word, color=one.colour, index=index)
            for index, one in enumerate(panel.mapped)
        }
        builder.mappings([models.ValueMap(options=words)])
    for letter, query in zip(_LETTERS, panel.queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).ref_id(letter).legend_format(query.legend or "__auto")
        instant = panel.kind in _INSTANT or (panel.kind is Kind.STAT and not panel.trend)
        (target.instant() if instant else target.range()).exemplar(query.exemplars)
        target.format(_FORMATS.get(panel.kind, PromQueryFormat.TIME_SERIES))
        builder.with_target(target)
    for name, colour in panel.colours:
        builder.override_by_name(name, [models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})])
    return builder


_FORMATS = {Kind.TABLE: PromQueryFormat.TABLE, Kind.HEATMAP: PromQueryFormat.HEATMAP}


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    return (
        build.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=step.at, color=step.colour) for step in steps])
    )


def _link(title: str, url: str) -> build.DashboardLink:
    return build.DashboardLink(title).type(models.DashboardLinkType.LINK).url(url).target_blank(True)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _timeseries(panel: Panel) -> Any:
    builder = (
        timeseries.Panel()
        .line_width(2)
        .fill_opacity(35 if panel.stacked else 8)
        .show_points(looks.VisibilityMode.NEVER)
        .span_nulls(False)
        .color_scheme(build.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .legend(
            common.VizLegendOptions()
            .display_mode(looks.LegendDisplayMode.LIST)
            .placement(looks.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull"])
        )
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING))
    )
    if panel.stacked:
        builder.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    if any(step.at is not None for step in panel.thresholds):
        builder.thresholds_style(common.GraphThresholdsStyleConfig().mode(looks.GraphTresholdsStyleMode.DASHED))
    return builder


def _stat(panel: Panel) -> Any:
    named = any(query.legend for query in panel.queries)
    return (
        stat.Panel()
        .reduce_options(_last())
        .graph_mode(looks.BigValueGraphMode.AREA if panel.trend else looks.BigValueGraphMode.NONE)
        .color_mode(looks.BigValueColorMode.BACKGROUND if panel.mapped else looks.BigValueColorMode.VALUE)
        .text_mode(looks.BigValueTextMode.VALUE_AND_NAME if named else looks.BigValueTextMode.VALUE)
        .color_scheme(build.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
    )


def _bars(_: Panel) -> Any:
    return (
        bargauge.Panel()
        .reduce_options(_last())
        .orientation(looks.VizOrientation.HORIZONTAL)
        .display_mode(looks.BarGaugeDisplayMode.BASIC)
        .show_unfilled(False)
        .color_scheme(build.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
    )


def _heatmap(panel: Panel) -> Any:
    return (
        heatmap.Panel()
        .calculate(False)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
        .y_axis(heatmap.YAxisConfig().unit(panel.unit))
        .show_legend()
        .show_tooltip()
    )


def _states(_: Panel) -> Any:
    return (
        statetimeline.Panel()
        .merge_values(True)
        .row_height(0.8)
        .line_width(0)
        .fill_opacity(85)
        .show_value(looks.VisibilityMode.AUTO)
        .legend(common.VizLegendOptions().show_legend(False))
    )


def _table(panel: Panel) -> Any:
    fields = {"Value": "A"} if len(panel.queries) == 1 else {f"Value #{letter}": letter for letter in _LETTERS}
    sources = {letter: field for field, letter in fields.items()}
    names = [sources.get(column.source, column.source) for column in panel.columns]
    builder = (
        table.Panel()
        .show_header(True)
        .cell_height(looks.TableCellHeight.SM)
        .with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            models.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": names}})
        )
        .with_transformation(
            models.DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": {},
                    "indexByName": {name: index for index, name in enumerate(names)},
                    "renameByName": {name: column.title for name, column in zip(names, panel.columns, strict=True)},
                },
            )
        )
    )
    for column in panel.columns:
        properties = [models.DynamicConfigValue("unit", column.unit)]
        if column.thresholds:
            steps = [{"value": step.at, "color": step.colour} for step in column.thresholds]
            properties += [
                models.DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps}),
                models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
                models.DynamicConfigValue("color", {"mode": "thresholds"}),
            ]
        builder.override_by_name(column.title, properties)
    return builder


_KINDS: dict[Kind, Callable[[Panel], Any]] = {
    Kind.TIMESERIES: _timeseries,
    Kind.STAT: _stat,
    Kind.TABLE: _table,
    Kind.BAR: _bars,
    Kind.HEATMAP: _heatmap,
    Kind.STATE: _states,
}
