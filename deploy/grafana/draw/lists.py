"""Bars and tables: values at the end of the shown time, one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deploy.grafana.draw.asking import Series
from deploy.grafana.draw.canvas import Box, Canvas, colour_at, width_of
from deploy.grafana.draw.lines import Line
from deploy.grafana.draw.said import said
from deploy.grafana.model import Column, Panel, Unit

_ROW = 27.0
_LETTERS = "ABCDEFGH"


def draw_bars(canvas: Canvas, box: Box, panel: Panel, lines: Sequence[Line]) -> None:
    """The series in their order, as many as fit."""
    lines = [line for line in lines if line.series.last is not None]
    shown = lines[: max(1, int(box.height / 24))]
    step = min(34.0, box.height / len(shown))
    names = min(max(width_of(line.name, 14) for line in shown) + 14, box.width * 0.6)
    values = [line.series.last or 0.0 for line in shown]
    words = [said(value, panel.unit, panel.decimals) for value in values]
    room = box.width - names - max(width_of(word, 14) for word in words) - 18
    highest = max([*values, panel.high or 0]) or 1
    for number, (line, value, word) in enumerate(zip(shown, values, words, strict=True)):
        y = box.y + number * step
        thick = min(20.0, step - 6)
        long = max(2.0, value / highest * room)
        middle = y + step / 2
        canvas.text("name", box.x, middle + 5, line.name, room=names - 12)
        canvas.rect(
            f"{colour_at(value, panel.thresholds)}f", Box(box.x + names, middle - thick / 2, long, thick), round_by=3
        )
        canvas.text("value", box.x + names + long + 8, middle + 5, word)


def draw_table(canvas: Canvas, box: Box, panel: Panel, answers: Sequence[Sequence[Series]]) -> None:
    """The rows of all answers, joined by the labels that have a column; a note says how many did not fit."""
    rows = _joined(panel, answers)
    cells = [[_cell(panel, column, row) for column in panel.columns] for row in rows]
    most = int((box.height - _ROW) / _ROW)
    over = len(rows) - most if len(rows) > most else 0
    shown = cells[: most - 1] if over else cells
    widths = [
        max(width_of(text, 14) for text in (column.title, *(row[at][0] for row in shown))) + 24
        for at, column in enumerate(panel.columns)
    ]
    spare = box.width - sum(widths)
    widths = [width + spare / len(widths) if spare > 0 else width * box.width / sum(widths) for width in widths]
    lefts = [box.x + sum(widths[:at]) for at in range(len(widths))]
    for at, column in enumerate(panel.columns):
        _write(canvas, "axis", lefts[at], widths[at], box.y + 17, column.title, number=column.unit is not Unit.TEXT)
    canvas.path("rule", [(box.x, box.y + _ROW - 2), (box.right, box.y + _ROW - 2)])
    for index, row in enumerate(shown):
        y = box.y + _ROW * (index + 1)
        for at, column in enumerate(panel.columns):
            text, colour = row[at]
            kind = f"value {colour}f" if colour else "name"
            _write(canvas, kind, lefts[at], widths[at], y + 18, text, number=column.unit is not Unit.TEXT)
        canvas.path("grid", [(box.x, y + _ROW - 1), (box.right, y + _ROW - 1)])
    if over:
        canvas.text("soft", box.x, box.y + _ROW * (len(shown) + 1) + 18, f"and {over + 1} more")


def _write(canvas: Canvas, kind: str, left: float, width: float, y: float, text: str, *, number: bool) -> None:
    if number:
        canvas.text(f"{kind} end", left + width - 10, y, text, room=width - 10)
    else:
        canvas.text(kind, left, y, text, room=width - 14)


def _joined(panel: Panel, answers: Sequence[Sequence[Series]]) -> list[dict[str, str | float]]:
    labels = [column.source for column in panel.columns if len(column.source) > 1]
    rows: dict[tuple[str, ...], dict[str, str | float]] = {}
    for letter, answer in zip(_LETTERS, answers, strict=False):
        for one in answer:
            key = next((known for known in rows if _fits(known, labels, one.labels)), None)
            if key is None:
                key = tuple(one.labels.get(label, "") for label in labels)
                rows[key] = dict(zip(labels, key, strict=True))
            if one.last is not None:
                rows[key][letter] = one.last
    return [
        rows[key]
        for key in sorted(rows, key=lambda key: [(len(part), part) if part.isdigit() else (0, part) for part in key])
    ]


def _fits(known: tuple[str, ...], labels: Sequence[str], found: Mapping[str, str]) -> bool:
    # a later query may lack labels of the first: its value belongs to the row that has all of its own
    return all(label not in found or found[label] == value for label, value in zip(labels, known, strict=True))


def _cell(panel: Panel, column: Column, row: Mapping[str, str | float]) -> tuple[str, str]:
    value = row.get(column.source)
    if value is None:
        return "–", ""
    if isinstance(value, str):
        return value, ""
    decimals = panel.decimals if column.unit in (Unit.COUNT, Unit.SECONDS) else None
    return said(value, column.unit, decimals), colour_at(value, column.thresholds) if column.thresholds else ""
