"""Pictures of dashboards: readable by themselves, with units, limits and names, and honest where there is nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from deploy.grafana.boards import DASHBOARDS
from deploy.grafana.draw.__main__ import main
from deploy.grafana.draw.asking import AnswerError, Prometheus, Span
from deploy.grafana.draw.canvas import fitting, width_of
from deploy.grafana.draw.page import drawn
from deploy.grafana.draw.said import named, said, ticks, time_ticks
from deploy.grafana.model import (
    Colour,
    Column,
    Dashboard,
    Mapped,
    Panel,
    Query,
    Row,
    Unit,
    bars,
    chart,
    heatmap,
    stat,
    states,
    table,
    worse_above,
)
from deploy.grafana.promql import budget_left, filled_in, grown

END = datetime(2026, 2, 8, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SPAN = Span.of(END - timedelta(minutes=10), END, scrape=5 * SECOND)
Answer = Callable[[str], list[tuple[dict[str, str], list[float]]]]


def prometheus(answer: Answer) -> Prometheus:
    """One that answers each expression with these series; of a query at one time, with their last values."""

    def respond(request: httpx.Request) -> httpx.Response:
        asked = parse_qs(request.content.decode())
        found: list[dict[str, Any]] = []
        for labels, values in answer(asked["query"][0]):
            if request.url.path.endswith("query_range"):
                step = float(asked["step"][0])
                points = [[SPAN.begin + at * step, str(value)] for at, value in enumerate(values)]
                found.append({"metric": labels, "values": points})
            else:
                found.append({"metric": labels, "value": [SPAN.end, str(values[-1])]})
        kind = "matrix" if request.url.path.endswith("query_range") else "vector"
        return httpx.Response(200, json={"status": "success", "data": {"resultType": kind, "result": found}})

    return Prometheus(
        "http://prometheus", span=SPAN, scrape=5 * SECOND, chosen={}, transport=httpx.MockTransport(respond)
    )


def picture(panel: Panel, *series: tuple[dict[str, str], list[float]], alarm: bool = False) -> str:
    """A dashboard of this panel alone, drawn from these series."""

    def answer(expr: str) -> list[tuple[dict[str, str], list[float]]]:
        if expr.startswith("max(ALERTS"):
            return [({}, [1.0] * 20)] if alarm else []
        return list(series)

    board = Dashboard(uid="careline-one", title="One", description="A panel.", rows=(Row("", (panel,)),))
    with prometheus(answer) as asked:
        found = drawn(board, asked)
    ET.fromstring(found)
    return found


def words(svg: str) -> list[str]:
    """Every text that is shown, without what only a pointer shows."""
    root = ET.fromstring(svg)
    shown = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(part for part in text.itertext() if part) for text in shown]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, Unit.SECONDS, "0 s"),
        (0.0123, Unit.SECONDS, "12.3 ms"),
        (1.5, Unit.SECONDS, "1.5 s"),
        (90, Unit.SECONDS, "90 s"),
        (600, Unit.SECONDS, "10 min"),
        (30 * 86_400, Unit.SECONDS, "30 d"),
        (-0.25, Unit.SECONDS, "−250 ms"),
        (0.9951, Unit.RATIO, "99.5 %"),
        (-2.29, Unit.RATIO, "−229 %"),
        (3 * 2**20, Unit.BYTES, "3 MiB"),
        (0, Unit.BYTES, "0 B"),
        (1234, Unit.COUNT, "1,234"),
        (2_500_000, Unit.COUNT, "2.5 M"),
        (14.4, Unit.TIMES, "14.4×"),
        (89.1, Unit.PER_MINUTE, "89.1 /min"),
    ],
)
def test_values_are_said_in_the_unit_that_fits(value: float, unit: Unit, text: str) -> None:
    """Nobody counts zeros."""
    assert said(value, unit) == text


def test_axes_have_round_values() -> None:
    """And the highest value lies below the last of them."""
    assert ticks(0, 587, 5) == [0, 200, 400, 600]
    assert ticks(0, 0.9, 4) == [0, 0.25, 0.5, 0.75, 1.0]
    assert [label for _, label in time_ticks(SPAN.begin, SPAN.end, 3)] == ["11:50", "11:55", "12:00"]


def test_long_names_are_shortened_to_their_room() -> None:
    """Nothing is written over what is beside it, and the whole name is under the pointer."""
    short = fitting("careline.touchpoints of a long prefix", 120, 14)
    assert short.endswith("…")
    assert width_of(short, 14) <= 120
    panel = bars(title="T", description="D", queries=(Query("x", "{{topic}}"),), width=4)
    svg = picture(panel, ({"topic": "a-very-long-prefix.careline.touchpoints"}, [1.0]))
    assert "<title>a-very-long-prefix.careline.touchpoints</title>" in svg


def test_a_chart_has_axes_limits_and_names() -> None:
    """One sees what a line is, its last value, how far the limit is, and when an alert was firing."""
    panel = chart(
        title="How long", description="D", queries=(Query("x", "{{role}}"),), unit=Unit.SECONDS,
        thresholds=worse_above(10), alerts=("Slow",),
    )  # fmt: skip
    values = [float(at % 7) for at in range(121)]
    svg = picture(panel, ({"role": "journeys"}, values), ({"role": "outreach"}, values), alarm=True)
    assert {"How long", "10 s", "0 s", "11:56", "journeys 1 s", "outreach 1 s"} <= set(words(svg))
    assert 'class="limit bad"' in svg
    assert 'class="alarm"' in svg
    assert 'class="alarm"' not in picture(panel, ({"role": "journeys"}, values))


def test_a_limit_that_is_far_away_does_not_flatten_the_line() -> None:
    """It is left out, as the line is what was asked for."""
    panel = chart(title="T", description="D", queries=(Query("x"),), unit=Unit.SECONDS, thresholds=worse_above(60))
    assert 'class="limit' not in picture(panel, ({}, [0.1] * 121))


def test_areas_lie_upon_one_another() -> None:
    """The top of a stack is the sum, as in Grafana."""
    panel = chart(title="T", description="D", queries=(Query("x", "{{a}}"),), stacked=True)
    svg = picture(panel, ({"a": "one"}, [6.0] * 121), ({"a": "two"}, [3.0] * 121))
    tops = sorted(float(y) for y in re.findall(r'class="line c\d" d="M[\d.]+ ([\d.]+)L', svg))
    bottom = max(float(y) for y in re.findall(r'class="rule" d="M[\d.]+ ([\d.]+)L', svg))
    assert (bottom - tops[0]) / (bottom - tops[1]) == pytest.approx(9 / 6, rel=0.02)


def test_a_gap_stays_a_gap() -> None:
    """Where Prometheus has no value no line is drawn."""
    panel = chart(title="T", description="D", queries=(Query("x"),))
    values = [1.0] * 121
    values[40:50] = [float("nan")] * 10
    assert len(re.findall(r'class="line c0"', picture(panel, ({}, values)))) == 2


def test_a_figure_has_the_colour_of_its_limit() -> None:
    """Good, or bad from the limit on; or the word that the value stands for."""
    panel = stat(title="T", description="D", queries=(Query("x"),), thresholds=worse_above(1, 5))
    assert 'goodf" ' in picture(panel, ({}, [0.0]))
    assert 'warnf" ' in picture(panel, ({}, [1.0]))
    assert 'badf" ' in picture(panel, ({}, [5.0]))
    ready = stat(
        title="T", description="D", queries=(Query("x", "{{role}}"),), mapped=(Mapped(1, "ready", Colour.GOOD),)
    )
    assert {"ready", "view"} <= set(words(picture(ready, ({"role": "view"}, [1.0]))))


def test_a_table_joins_its_queries_by_their_labels() -> None:
    """A row for each policy, with a dash where a query has nothing of it."""
    panel = table(
        title="T", description="D", queries=(Query("a"), Query("b")),
        columns=(Column("policy", "policy"), Column("A", "letters", Unit.COUNT), Column("B", "bytes", Unit.BYTES)),
    )  # fmt: skip
    board = Dashboard(uid="careline-one", title="One", description="A panel.", rows=(Row("", (panel,)),))

    def answer(expr: str) -> list[tuple[dict[str, str], list[float]]]:
        rows: dict[str, list[tuple[dict[str, str], list[float]]]] = {
            "a": [({"policy": "delay_care"}, [7.0]), ({"policy": "recovery"}, [2.0])],
            "b": [({"policy": "delay_care"}, [2048.0])],
        }
        return rows[expr]

    with prometheus(answer) as asked:
        shown = words(drawn(board, asked))
    assert shown[-9:] == ["policy", "letters", "bytes", "delay_care", "7", "2 KiB", "recovery", "2", "–"]


def test_rows_that_do_not_fit_are_counted() -> None:
    """Nobody takes a part for the whole."""
    panel = table(title="T", description="D", queries=(Query("a"),), columns=(Column("source", "source"),))
    shown = words(picture(panel, *(({"source": f"s{number:02}"}, [1.0]) for number in range(40))))
    listed = [word for word in shown if re.fullmatch(r"s\d\d", word)]
    assert shown[-1] == f"and {40 - len(listed)} more"


def test_states_are_lanes_of_words() -> None:
    """One lane for each series, one block while a state lasts."""
    panel = states(
        title="T", description="D", queries=(Query("x", "{{role}}"),),
        mapped=(Mapped(0, "away", Colour.BAD), Mapped(1, "ready", Colour.GOOD)),
    )  # fmt: skip
    svg = picture(panel, ({"role": "view"}, [1.0] * 60 + [0.0] * 61))
    assert {"view", "ready", "away"} <= set(words(svg))
    assert svg.count("<title>view: ") == 2


def test_a_heatmap_shows_each_bucket_alone() -> None:
    """Prometheus's buckets count all that is lower; a cell is what is in its own."""
    panel = heatmap(title="T", description="D", queries=(Query("x"),), unit=Unit.SECONDS)
    svg = picture(
        panel,
        ({"le": "0.1"}, [0.0] * 61),
        ({"le": "0.5"}, [4.0] * 61),
        ({"le": "1.0"}, [4.0] * 61),
        ({"le": "+Inf"}, [4.0] * 61),
    )
    assert {"≤ 100 ms", "≤ 500 ms", "≤ 1 s"} <= set(words(svg))
    cells = re.findall(r'class="c1f" x="[\d.]+" y="([\d.]+)"', svg)
    assert len(set(cells)) == 1


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_nothing_is_said_in_words(dashboard: Dashboard) -> None:
    """A Prometheus that knows nothing gives a picture of all panels, each with what its silence means."""
    with prometheus(lambda _: []) as asked:
        shown = words(drawn(dashboard, asked))
    for panel in dashboard.panels:
        assert any(word.startswith(panel.title.split(",")[0]) for word in shown)
        assert any(panel.nothing.startswith(word.removesuffix("…")) for word in shown if word), panel.title


def test_both_backgrounds_have_their_colours() -> None:
    """Every colour that the light picture has, the dark one has too."""
    with prometheus(lambda _: []) as asked:
        light, _, dark = drawn(DASHBOARDS[0], asked).partition("@media (prefers-color-scheme: dark)")
    coloured = set(re.findall(r"\.(\w+) \{ (?:fill|stroke): #", light))
    assert len(coloured) > 20
    assert coloured - set(re.findall(r"\.(\w+)[ ,]", dark)) == set()


def test_a_refused_expression_is_an_error_with_its_text() -> None:
    """Whoever changes an expression sees which one is wrong."""
    refuse = httpx.MockTransport(lambda _: httpx.Response(400, json={"status": "error", "error": "parse error"}))
    asked = Prometheus("http://prometheus", span=SPAN, scrape=5 * SECOND, chosen={}, transport=refuse)
    with asked, pytest.raises(AnswerError, match=r"parse error: sum\("):
        asked.at_end("sum(")


def test_no_prometheus_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    """And no picture; a span that ends before it begins is a mistake of the arguments."""
    words_of = ["--prometheus", "http://127.0.0.1:9", "--out", str(tmp_path)]
    assert main(words_of) == 1
    assert "Prometheus at http://127.0.0.1:9" in capsys.readouterr().err
    assert main([*words_of, "--from", "2026-02-08T12:00:00Z", "--to", "2026-02-08T11:00:00Z"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_variables_are_filled_in_as_grafana_does_it() -> None:
    """Rates over at least four scrapes, the range as it is shown, and what is not chosen leaves nothing out."""
    expr = 'rate(x{role=~"$role", instance=~"$instance"}[$__rate_interval]) / y[$__range]'
    filled = filled_in(expr, step=SECOND, span=60 * SECOND, scrape=5 * SECOND, chosen={"role": "view"})
    assert filled == 'rate(x{role=~"view", instance=~".*"}[20s]) / y[60s]'
    assert "[65s]" in filled_in(expr, step=60 * SECOND, span=60 * SECOND, scrape=5 * SECOND, chosen={})


def test_a_series_that_begins_within_the_window_counts_whole() -> None:
    """The first dead letter of a process is one; increase() alone would not see it."""
    assert grown("x", by="reason", window="1d") == "sum by (reason) ((x unless x offset 1d) or increase(x[1d]))"


def test_a_budget_is_of_what_the_objective_allows() -> None:
    """99 % on time allow 1 % late; the bound matches as the text format writes it, and as others do."""
    expr = budget_left("h", 1, objective=0.99)
    assert expr.endswith("/ 0.01")
    assert r'le=~"1(\\.0)?"' in expr


def test_legends_take_the_labels_of_their_series() -> None:
    """Without a legend, all labels but the name."""
    assert named("{{role}}: {{end}}", {"role": "view", "end": "aborted"}) == "view: aborted"
    assert named("", {"__name__": "x", "b": "2", "a": "1"}) == "1, 2"
