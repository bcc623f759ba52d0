"""Charts over time: lines or areas with axes, limits, legend, and the time in which an alert was firing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from deploy.grafana.draw.asking import Series, Span
from deploy.grafana.draw.canvas import CLASSES, Box, Canvas, colours_for, width_of
from deploy.grafana.draw.said import binary_ticks, said, ticks, time_ticks
from deploy.grafana.model import Panel, Step, Unit

_LEGEND_LINE = 21
_TIME_AXIS = 22
_TICK_ROOM = 34
_WORTH_SHOWING = 3.0
"""A limit that is so many times as high as the highest value is still shown: one sees how far it is."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series by its name."""

    name: str
    series: Series


def draw_lines(
    canvas: Canvas, box: Box, panel: Panel, lines: Sequence[Line], span: Span, alarms: Sequence[Series]
) -> None:
    """The panel's series within the box; ``alarms`` have a value while one of its alerts was firing."""
    lines = sorted(lines, key=lambda line: line.name) if panel.stacked else lines
    colours = colours_for([line.name for line in lines], panel.colour_of)
    legend = _legend(canvas, box, panel, lines, colours)
    plot = box.inside(bottom=legend + _TIME_AXIS)
    tops = _stacked(lines) if panel.stacked else [list(line.series.values) for line in lines]
    highest = max((value for values in tops for value in values if value is not None), default=0.0)
    limits = [step for step in panel.thresholds if step.at is not None and step.at <= highest * _WORTH_SHOWING]
    scale = _scale(max([highest, *(step.at or 0 for step in limits)]), panel, plot)
    plot = _axes(canvas, plot, panel, scale, span)

    def across(time: float) -> float:
        return plot.x + (time - span.begin) / span.seconds * plot.width

    def up(value: float) -> float:
        return plot.bottom - (value - scale[0]) / (scale[-1] - scale[0]) * plot.height

    for alarm in alarms:
        for begin, end in _runs(alarm.values):
            left, right = across(span.times[begin]), across(min(span.times[end] + span.step, span.end))
            canvas.rect("alarm", Box(left, plot.y, right - left, plot.height))
    floor: list[float | None] = [0.0] * len(span.times)
    for values, colour in zip(tops, colours, strict=True):
        for begin, end in _runs(values):
            points = [(across(span.times[at]), up(values[at] or 0)) for at in range(begin, end + 1)]
            below = [(across(span.times[at]), up(max(floor[at] or 0, scale[0]))) for at in range(end, begin - 1, -1)]
            if panel.stacked or len(lines) <= 2:
                canvas.path(f"{'area' if panel.stacked else 'faint'} {colour}f", points + below, closed=True)
            canvas.path(f"line {colour}", points if len(points) > 1 else [points[0], (points[0][0] + 2, points[0][1])])
        floor = values if panel.stacked else floor
    _limits(canvas, plot, panel, limits, up)


def _limits(canvas: Canvas, plot: Box, panel: Panel, limits: Sequence[Step], up: Callable[[float], float]) -> None:
    last = plot.bottom
    for step in limits:
        y = up(step.at or 0)
        canvas.path(f"limit {CLASSES[step.colour]}", [(plot.x, y), (plot.right, y)])
        label = said(step.at or 0, panel.unit)
        inside = y > plot.y + 16
        if abs(last - y) >= _TICK_ROOM / 2 or step is limits[0]:
            canvas.text(f"halo end {CLASSES[step.colour]}f", plot.right - 3, y - 5 if inside else y + 15, label)
        last = y


def _scale(highest: float, panel: Panel, plot: Box) -> list[float]:
    most = max(2, int(plot.height / _TICK_ROOM))
    if panel.high is not None:
        highest = max(highest, panel.high)
    if highest == 0:
        return [0, 1]
    if panel.unit is Unit.COUNT and highest < most:
        return [float(tick) for tick in range(math.ceil(highest) + 1)]
    if panel.unit is Unit.BYTES:
        return binary_ticks(highest, most)
    if panel.unit is Unit.SECONDS and highest > 120:
        one = 3600 if highest > 7200 else 60
        return [tick * one for tick in ticks(0, highest / one, most)]
    return ticks(0, highest, most)


def _axes(canvas: Canvas, plot: Box, panel: Panel, scale: Sequence[float], span: Span) -> Box:
    labels = [said(value, panel.unit) for value in scale]
    plot = plot.inside(left=max(width_of(label, 13) for label in labels) + 12, top=6, right=4)
    for value, label in zip(scale, labels, strict=True):
        y = plot.bottom - (value - scale[0]) / (scale[-1] - scale[0]) * plot.height
        canvas.path("rule" if value == scale[0] else "grid", [(plot.x, y), (plot.right, y)])
        canvas.text("axis end", plot.x - 8, y + 4.5, label)
    draw_times(canvas, plot, span)
    return plot


def draw_times(canvas: Canvas, plot: Box, span: Span, *, grid: bool = True) -> None:
    """Round times below the plot, and lines up from them."""
    for time, label in time_ticks(span.begin, span.end, max(2, int(plot.width / 78))):
        x = plot.x + (time - span.begin) / span.seconds * plot.width
        half = width_of(label, 13) / 2
        if grid:
            canvas.path("grid", [(x, plot.y), (x, plot.bottom)])
        if plot.x - 8 <= x - half and x + half <= plot.right + 8:
            canvas.text("axis middle", x, plot.bottom + 17, label)


def _legend(canvas: Canvas, box: Box, panel: Panel, lines: Sequence[Line], colours: Sequence[str]) -> float:
    items = []
    for line, colour in zip(lines, colours, strict=True):
        last = "" if line.series.last is None else said(line.series.last, panel.unit)
        items.append((line.name, last, colour))
    rows: list[list[tuple[float, tuple[str, str, str]]]] = [[]]
    x = 0.0
    for item in items:
        width = 22 + width_of(item[0], 14) + 6 + width_of(item[1], 14) * 1.06 + 20
        if rows[-1] and x + width > box.width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, item))
        x += width
    height = len(rows) * _LEGEND_LINE + 6
    for number, row in enumerate(rows):
        y = box.bottom - height + 6 + number * _LEGEND_LINE + 14
        for at, (name, last, colour) in row:
            canvas.rect(f"{colour}f", Box(box.x + at, y - 9, 14, 9), round_by=2)
            canvas.text("name", box.x + at + 21, y, name, room=box.width - at - 24, after=last)
    return height


def _stacked(lines: Sequence[Line]) -> list[list[float | None]]:
    so_far: list[float] = []
    found = []
    for line in lines:
        so_far = so_far or [0.0] * len(line.series.values)
        so_far = [below + (value or 0) for below, value in zip(so_far, line.series.values, strict=True)]
        found.append([float(value) for value in so_far])
    return [list[float | None](values) for values in found]


def _runs(values: Sequence[float | None]) -> list[tuple[int, int]]:
    """The first and last index of each stretch with values."""
    there = groupby(enumerate(values), key=lambda pair: pair[1] is not None)
    runs = [[at for at, _ in group] for is_there, group in there if is_there]
    return [(run[0], run[-1]) for run in runs]
