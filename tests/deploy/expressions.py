"""Expressions of panels and rules: as Grafana would send them, and whether Prometheus can parse them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import yaml

from deploy.grafana.promql import filled_in

SECONDS_ONLY = re.compile(
    r"^(?:max|histogram_quantile)\b(?!.*(?:timestamp|resident)).*_seconds(?:_bucket)?\b(?!_total)"
)
"""Expressions whose value is a time in seconds."""


def filled(expr: str) -> str:
    """The expression with everything chosen, for a view of an hour."""
    step, scrape = timedelta(seconds=15), timedelta(seconds=5)
    return filled_in(expr, step=step, span=timedelta(hours=1), scrape=scrape, chosen={})


def parsed(exprs: Sequence[str], promtool: str, folder: Path) -> str:
    """What promtool has to say against them; "" if nothing."""
    rules = [{"record": f"a:b:c{number}", "expr": expr} for number, expr in enumerate(exprs)]
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
