"""Expressions that panels have in common, and what stands for their variables where there is no Grafana."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta

RATE = "$__rate_interval"
RANGE = "$__range"

EVERYTHING = ".*"
"""The value of a variable that leaves nothing out."""

_VARIABLE = re.compile(r"\$\{?(?P<name>\w+)\}?")


def rate(metric: str, *, by: str = "", minute: bool = False) -> str:
    """How often a counter (with its selector) rose: each second, or each minute."""
    return f"sum{_by(by)}(rate({metric}[{RATE}]))" + (" * 60" if minute else "")


def grown(metric: str, *, by: str = "", window: str = RANGE) -> str:
    """By how much a counter grew within the window. A series that appeared in it counts with its whole value, which
    ``increase`` alone would leave out: the first dead letter of a process is one."""
    return f"sum{_by(by)}(({metric} unless {metric} offset {window}) or increase({metric}[{window}]))"


def rounded(expr: str) -> str:
    """To whole numbers: what grew is extrapolated to the window's ends, and nothing happens two and a half times."""
    return f"round({expr})"


def most(count: int, expr: str) -> str:
    """The largest of its series, first the largest; none that are 0."""
    return f"sort_desc(topk({count}, {rounded(expr)} > 0))"


def or_zero(expr: str) -> str:
    """The expression, and 0 where it returns nothing. Only for expressions without labels."""
    return f"({expr}) or vector(0)"


def quantile(share: float, histogram: str, *, selector: str = "", by: str = "") -> str:
    """This share of a histogram's observations took at most so long, within the rate's window."""
    labels = ", ".join(part for part in ("le", by) if part)
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{selector}[{RATE}])))"


def share_within(histogram: str, bound: int, *, selector: str = "", window: str = RANGE) -> str:
    """The share of observations at or below a bucket's bound; nothing where there were none."""
    inside = f"{{{', '.join(part for part in (selector, _bound(bound)) if part)}}}"
    outside = f"{{{selector}}}" if selector else ""
    return (
        f"sum(increase({histogram}_bucket{inside}[{window}])) / "
        f"(sum(increase({histogram}_count{outside}[{window}])) > 0)"
    )


def budget_left(histogram: str, bound: int, *, objective: float, selector: str = "") -> str:
    """What is left of the error budget of the shown time: 1 is all of it, below 0 it is overspent."""
    allowed = f"{1 - objective:.6g}"
    return f"1 - (1 - {share_within(histogram, bound, selector=selector)}) / {allowed}"


def filled_in(expr: str, *, step: timedelta, span: timedelta, scrape: timedelta, chosen: Mapping[str, str]) -> str:
    """The expression as Grafana would send it: ``chosen`` are the dashboard's variables, all others are everything."""
    seconds = math.ceil(max(4 * scrape, step + scrape).total_seconds())
    known = {
        "__rate_interval": f"{seconds}s",
        "__interval": f"{math.ceil(step.total_seconds())}s",
        "__range": f"{math.ceil(span.total_seconds())}s",
        **chosen,
    }
    return _VARIABLE.sub(lambda match: known.get(match["name"], EVERYTHING), expr)


def _by(labels: str) -> str:
    return f" by ({labels}) " if labels else ""


def _bound(bound: int) -> str:
    # the text format writes 1.0, other formats and later versions of Prometheus 1
    return f'le=~"{bound}(\\\\.0)?"'
