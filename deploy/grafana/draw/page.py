"""A whole dashboard as one picture, each panel at its place in Grafana's grid."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.sax.saxutils import escape

from deploy.grafana.draw.asking import Prometheus, Series
from deploy.grafana.draw.canvas import STYLE, Box, Canvas
from deploy.grafana.draw.figures import draw_figures
from deploy.grafana.draw.lanes import draw_heatmap, draw_states
from deploy.grafana.draw.lines import Line, draw_lines
from deploy.grafana.draw.lists import draw_bars, draw_table
from deploy.grafana.draw.said import named
from deploy.grafana.model import COLUMNS, Dashboard, Kind, Panel, Placed, placed

_WIDTH, _MARGIN, _TOP, _GAP = 1240, 18, 78, 10
_ROW = 38.0
_COLUMN = (_WIDTH - 2 * _MARGIN) / COLUMNS
_HEATMAP_COARSER = 2


def drawn(dashboard: Dashboard, prometheus: Prometheus) -> str:
    """The dashboard as SVG. Raises AnswerError if the Prometheus does not answer."""
    canvas = Canvas()
    places = list(placed(dashboard))
    height = _TOP + max(place.y + place.height for place in places) * _ROW + _MARGIN
    span = prometheus.span
    first, last = (datetime.fromtimestamp(time, UTC) for time in (span.begin, span.end))
    canvas.rect("ground", Box(0, 0, _WIDTH, height), round_by=14)
    canvas.text("heading", _MARGIN + 4, 38, dashboard.title)
    canvas.text("about", _MARGIN + 4, 63, dashboard.description, room=_WIDTH - 300)
    canvas.text("about end", _WIDTH - _MARGIN - 4, 38, f"{first:%d %b %Y, %H:%M} to {last:%H:%M} UTC")
    for place in places:
        _place(canvas, place, prometheus)
    said = f"{dashboard.description} Panels: {', '.join(panel.title for panel in dashboard.panels)}."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        'aria-labelledby="title desc"\n'
        "     font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">\n"
        f'  <title id="title">{escape(dashboard.title)}</title>\n'
        f'  <desc id="desc">{escape(said)}</desc>\n'
        f"  <style>\n{STYLE}  </style>\n" + "".join(f"  {part}\n" for part in canvas.parts) + "</svg>\n"
    )


def _place(canvas: Canvas, place: Placed, prometheus: Prometheus) -> None:
    x, y = _MARGIN + place.x * _COLUMN, _TOP + place.y * _ROW
    if place.panel is None:
        canvas.text("section", x + 4, y + 25, place.title)
        return
    card = Box(x + _GAP / 2, y + _GAP / 2, place.width * _COLUMN - _GAP, place.height * _ROW - _GAP)
    canvas.rect("card", card, round_by=8)
    canvas.text("title", card.x + 14, card.y + 25, place.title, room=card.width - 16)
    _panel(canvas, card.inside(left=14, right=14, top=38, bottom=12), place.panel, prometheus)


def _panel(canvas: Canvas, box: Box, panel: Panel, prometheus: Prometheus) -> None:
    over_time = panel.kind in (Kind.TIMESERIES, Kind.STATE) or panel.trend
    if panel.kind is Kind.HEATMAP:
        answers = [prometheus.over_time(query.expr, coarser=_HEATMAP_COARSER) for query in panel.queries]
    else:
        ask = prometheus.over_time if over_time else prometheus.at_end
        answers = [ask(query.expr) for query in panel.queries]
    lines = [
        Line(named(query.legend, one.labels), one)
        for query, answer in zip(panel.queries, answers, strict=True)
        for one in answer
        if one.last is not None
    ]
    if not lines:
        canvas.text("soft middle", box.x + box.width / 2, box.y + box.height / 2 + 2, panel.nothing, room=box.width)
        return
    match panel.kind:
        case Kind.TIMESERIES:
            draw_lines(canvas, box, panel, lines, prometheus.span, _alarms(panel, prometheus))
        case Kind.STAT:
            draw_figures(canvas, box, panel, lines)
        case Kind.BAR:
            draw_bars(canvas, box, panel, lines)
        case Kind.TABLE:
            draw_table(canvas, box, panel, answers)
        case Kind.STATE:
            draw_states(canvas, box, panel, lines, prometheus.span)
        case Kind.HEATMAP:
            draw_heatmap(canvas, box, panel, answers[0], prometheus.span)


def _alarms(panel: Panel, prometheus: Prometheus) -> list[Series]:
    if not panel.alerts:
        return []
    names = "|".join(panel.alerts)
    return prometheus.over_time(f'max(ALERTS{{alertstate="firing", alertname=~"{names}"}})')
