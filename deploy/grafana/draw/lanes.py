"""Lanes and cells over time: states, and the buckets of a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from deploy.grafana.draw.asking import Series, Span
from deploy.grafana.draw.canvas import CLASSES, Box, Canvas, width_of
from deploy.grafana.draw.lines import Line, draw_times
from deploy.grafana.draw.said import said
from deploy.grafana.model import Panel

_TIME_AXIS = 22


def draw_states(canvas: Canvas, box: Box, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """A lane for each series; equal values that follow one another are one block."""
    names = min(max(width_of(line.name, 14) for line in lines) + 14, box.width * 0.4)
    plot = box.inside(left=names, bottom=_TIME_AXIS, right=4)
    lines = sorted(lines, key=lambda line: line.name)[: max(1, int(plot.height / 16))]
    tall = min(36.0, plot.height / len(lines))
    plot = Box(plot.x, plot.y, plot.width, tall * len(lines))
    draw_times(canvas, plot, span)
    for number, line in enumerate(lines):
        y = plot.y + number * tall
        canvas.text("name", box.x, y + tall / 2 + 5, line.name, room=names - 12)
        at = 0
        for value, group in groupby(line.series.values):
            long = len(list(group))
            begin, end = span.times[at], min(span.times[at] + long * span.step, span.end)
            at += long
            if value is None or end <= begin:
                continue
            left = plot.x + (begin - span.begin) / span.seconds * plot.width
            block = Box(left, y + 2, (end - begin) / span.seconds * plot.width, tall - 4)
            one = next((one for one in panel.mapped if one.value == round(value)), None)
            word = one.word if one else said(value, panel.unit)
            canvas.rect(f"{CLASSES[one.colour] if one else 'quiet'}f", block, round_by=3, tip=f"{line.name}: {word}")
            if block.width > width_of(word, 13) + 10 and tall > 18:
                canvas.text("word middle", block.x + block.width / 2, y + tall / 2 + 4.5, word)


def draw_heatmap(canvas: Canvas, box: Box, panel: Panel, buckets: Sequence[Series], span: Span) -> None:
    """The observations of each bucket over time, darker where there are more."""
    ordered = sorted(buckets, key=lambda one: float(one.labels.get("le", "inf")))
    bounds = [float(one.labels.get("le", "inf")) for one in ordered]
    counts = _apart(ordered)
    used = [row for row, values in enumerate(counts) if any(value > 0.01 for value in values)]
    if not used:
        canvas.text("soft middle", box.x + box.width / 2, box.y + box.height / 2, panel.nothing)
        return
    rows = range(max(0, used[0] - 1), min(len(counts), used[-1] + 2))
    labels = ["more" if bounds[row] == float("inf") else said(bounds[row], panel.unit) for row in rows]
    plot = box.inside(left=max(width_of(label, 13) for label in labels) + 26, bottom=_TIME_AXIS, right=4)
    tall, columns = plot.height / len(rows), len(counts[0])
    wide = plot.width / max(columns - 1, 1)
    highest = max(max(counts[row]) for row in rows)
    for place, row in enumerate(reversed(rows)):
        y = plot.y + place * tall
        label = labels[row - rows[0]]
        canvas.text("axis end", plot.x - 8, y + tall / 2 + 4.5, label if label == "more" else f"≤ {label}")
        canvas.path("grid", [(plot.x, y + tall), (plot.right, y + tall)])
        for column, value in enumerate(counts[row][1:]):
            if value > 0.01:
                cell = Box(plot.x + column * wide, y + 0.8, max(wide - 0.8, 0.5), tall - 1.6)
                canvas.rect("c1f", cell, opacity=0.12 + 0.88 * (value / highest) ** 0.5)
    draw_times(canvas, plot, span, grid=False)


def _apart(ordered: Sequence[Series]) -> list[list[float]]:
    """How many observations are in each bucket alone: the series count all that are lower, too."""
    below = [0.0] * len(ordered[0].values)
    found = []
    for one in ordered:
        values = [value or 0.0 for value in one.values]
        found.append([max(value - less, 0.0) for value, less in zip(values, below, strict=True)])
        below = values
    return found
