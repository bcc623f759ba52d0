"""What a dashboard consists of, apart from any program that shows it: panels, rows, thresholds, units, variables.

:mod:`deploy.grafana.made` turns it into Grafana's JSON, and :mod:`deploy.grafana.draw` into a picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

COLUMNS = 24
"""The width of Grafana's grid."""

TAG = "careline"
"""What all of these dashboards are tagged with; each has links to the others by it."""


class Kind(StrEnum):
    """How a panel shows what its expressions return."""

    TIMESERIES = "timeseries"
    STAT = "stat"
    """The last value of each series, large."""
    TABLE = "table"
    BAR = "bar"
    """One horizontal bar for each series, with its last value."""
    HEATMAP = "heatmap"
    """The buckets of a classic histogram over time; its expression keeps the label ``le``."""
    STATE = "state"
    """One lane for each series, coloured by the mapping of its value."""


class Unit(StrEnum):
    """Units, each with Grafana's name of it."""

    COUNT = "short"
    SECONDS = "s"
    RATIO = "percentunit"
    """1 is shown as 100 %."""
    BYTES = "bytes"
    PER_SECOND = "suffix: /s"
    PER_MINUTE = "suffix: /min"
    TIMES = "suffix:×"
    """How many times as much as allowed."""
    TEXT = "string"


class Colour(StrEnum):
    """Colours that mean something, each with Grafana's name of it."""

    GOOD = "green"
    WARN = "orange"
    BAD = "red"
    CALM = "blue"
    """A figure that is neither good nor bad."""
    QUIET = "text"
    """As text is written; draws no attention."""


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on (None: from the bottom), the value has this colour."""

    at: float | None
    colour: Colour


Steps = tuple[Step, ...]

NEUTRAL: Steps = (Step(None, Colour.CALM),)


def worse_above(warn: float, bad: float | None = None) -> Steps:
    """Good below ``warn``; bad from ``bad`` on, or from ``warn`` on where there is only one limit."""
    if bad is None:
        return Step(None, Colour.GOOD), Step(warn, Colour.BAD)
    return Step(None, Colour.GOOD), Step(warn, Colour.WARN), Step(bad, Colour.BAD)


def better_above(warn: float, good: float) -> Steps:
    """Bad below ``warn``, and good from ``good`` on."""
    return Step(None, Colour.BAD), Step(warn, Colour.WARN), Step(good, Colour.GOOD)


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression, and how each of its series is called: ``{{label}}`` stands for the label's value."""

    expr: str
    legend: str = ""
    exemplars: bool = False
    """Whether trace ids are asked for, too."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A value that is shown as a word in a colour."""

    value: int
    word: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a label, or the value of the query with this letter."""

    source: str
    title: str
    unit: Unit = Unit.TEXT
    thresholds: Steps = ()
    """Colours of the cells; () leaves them plain."""
    link: str = ""
    """Where its cells lead to; ``${__value.text}`` stands for the cell's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. ``width`` is in columns, ``height`` in rows of Grafana's grid."""

    title: str
    description: str
    """What it shows, and what a change means."""
    kind: Kind
    queries: tuple[Query, ...]
    unit: Unit = Unit.COUNT
    width: int = 12
    height: int = 8
    thresholds: Steps = NEUTRAL
    stacked: bool = False
    trend: bool = False
    """Of a stat: whether the course of its value is shown behind it."""
    colours: tuple[tuple[str, Colour], ...] = ()
    """Series that always have the same colour, by legend."""
    mapped: tuple[Mapped, ...] = ()
    columns: tuple[Column, ...] = ()
    nothing: str = "no data"
    """What is shown when the expressions return nothing: that can be good news."""
    decimals: int | None = None
    low: float | None = 0
    high: float | None = None
    alerts: tuple[str, ...] = ()
    """Alerts about what it shows; it links to the runbook of each."""
    leads_to: str = ""
    """Where each of its series leads to; ``${__field.labels.x}`` stands for its label x."""

    def __post_init__(self) -> None:
        if not 1 <= self.width <= COLUMNS:
            raise ValueError(f"{self.title}: {self.width} columns; there are {COLUMNS}")
        if (self.kind is Kind.TABLE) != bool(self.columns):
            raise ValueError(f"{self.title}: columns are of tables, and every table has some")

    @property
    def colour_of(self) -> dict[str, Colour]:
        """The fixed colours by legend."""
        return dict(self.colours)


stat = partial(Panel, kind=Kind.STAT, width=4, height=4)
chart = partial(Panel, kind=Kind.TIMESERIES)
table = partial(Panel, kind=Kind.TABLE)
bars = partial(Panel, kind=Kind.BAR)
heatmap = partial(Panel, kind=Kind.HEATMAP)
states = partial(Panel, kind=Kind.STATE)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading, from left to right, in as many lines as they need."""

    title: str
    panels: tuple[Panel, ...]


class Variable(StrEnum):
    """What can be chosen above a dashboard."""

    DATASOURCE = "datasource"
    PREFIX = "prefix"
    """Beginning of the topics' names; a Prometheus may watch more than one Careline."""
    ROLE = "role"
    INSTANCE = "instance"
    RUNBOOKS = "runbooks"
    """Address of the folder of runbooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard. Every one can choose its data source and knows where runbooks are."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    """What else can be chosen."""

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels, in reading order."""
        return (panel for row in self.rows for panel in row.panels)

    @property
    def choices(self) -> tuple[Variable, ...]:
        """All its variables, in the order in which they are shown."""
        return (Variable.DATASOURCE, *self.variables, Variable.RUNBOOKS)


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel, or the heading of a row (``panel`` is None), with its place in the grid."""

    x: int
    y: int
    width: int
    height: int
    title: str
    panel: Panel | None = None


def placed(dashboard: Dashboard) -> Iterator[Placed]:
    """Headings and panels from top to bottom. A row without a title has no heading; a panel that does not fit beside
    those before it begins a new line, below the tallest of them."""
    y = 0
    for row in dashboard.rows:
        if row.title:
            yield Placed(0, y, COLUMNS, 1, row.title)
            y += 1
        x = tallest = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            yield Placed(x, y, panel.width, panel.height, panel.title, panel)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
