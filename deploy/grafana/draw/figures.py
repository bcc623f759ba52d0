"""Large figures: the last value of each series, in the colour of its threshold or as a word."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.grafana.draw.asking import Series
from deploy.grafana.draw.canvas import CLASSES, Box, Canvas, colour_at, width_of
from deploy.grafana.draw.lines import Line
from deploy.grafana.draw.said import said
from deploy.grafana.model import Panel


def draw_figures(canvas: Canvas, box: Box, panel: Panel, lines: Sequence[Line]) -> None:
    """One figure for each series, side by side."""
    gap = 10
    width = (box.width - gap * (len(lines) - 1)) / len(lines)
    for number, line in enumerate(lines):
        cell = Box(box.x + number * (width + gap), box.y, width, box.height)
        if panel.mapped:
            _word(canvas, cell, panel, line)
        else:
            _figure(canvas, cell, panel, line, named=len(lines) > 1)


def _word(canvas: Canvas, cell: Box, panel: Panel, line: Line) -> None:
    value = line.series.last or 0
    one = next((one for one in panel.mapped if one.value == round(value)), None)
    canvas.rect(f"{CLASSES[one.colour] if one else 'quiet'}f", cell, round_by=7)
    word = one.word if one else said(value, panel.unit, panel.decimals)
    middle, size = cell.x + cell.width / 2, min(28.0, cell.width / max(width_of(word, 1), 1) * 0.76)
    below = 0 if not line.name else 13
    canvas.text("big onfill middle", middle, cell.y + cell.height / 2 + size * 0.35 - below + 4, word, size=size)
    if line.name:
        size = min(14.5, (cell.width - 6) / max(width_of(line.name, 1), 1))
        canvas.text("onfill middle", middle, cell.bottom - 13, line.name, room=cell.width - 4, size=size)


def _figure(canvas: Canvas, cell: Box, panel: Panel, line: Line, *, named: bool) -> None:
    value = line.series.last
    if value is None:
        canvas.text("soft middle", cell.x + cell.width / 2, cell.y + cell.height / 2 + 5, panel.nothing)
        return
    colour = colour_at(value, panel.thresholds)
    if panel.trend:
        _trend(canvas, cell, line.series, colour)
    word = said(value, panel.unit, panel.decimals)
    size = min(42.0, cell.width / max(width_of(word, 1), 1) * 0.84)
    middle = cell.x + cell.width / 2
    y = cell.y + cell.height * (0.42 if panel.trend else 0.5) + size * 0.36 - (12 if named else 0)
    canvas.text(f"big middle {colour}f", middle, y, word, size=size)
    if named:
        canvas.text("soft middle", middle, y + 28, line.name, room=cell.width)


def _trend(canvas: Canvas, cell: Box, series: Series, colour: str) -> None:
    highest = max((value for value in series.values if value is not None), default=0) or 1
    height = cell.height * 0.3
    points = [
        (cell.x + at / max(len(series.values) - 1, 1) * cell.width, cell.bottom - max(value, 0) / highest * height)
        for at, value in enumerate(series.values)
        if value is not None
    ]
    if len(points) > 1:
        ends = [(points[-1][0], cell.bottom), (points[0][0], cell.bottom)]
        canvas.path(f"area {colour}f", points + ends, closed=True)
        canvas.path(f"line {colour}", points)
