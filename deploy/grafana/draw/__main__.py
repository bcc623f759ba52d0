"""``python -m deploy.grafana.draw --prometheus http://127.0.0.1:9090 --last 15m --out docs`` draws every dashboard.

``--from`` and ``--to`` take times as 2026-02-08T12:00:00Z instead of ``--last``. Each dashboard is written as
<out>/dashboard-<name>.svg, name being its uid without "careline-".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.grafana.boards import DASHBOARDS
from deploy.grafana.draw.asking import AnswerError, Prometheus, Span
from deploy.grafana.draw.page import drawn
from streams import durations


def main(words: Sequence[str] | None = None) -> int:
    """Draw them; 0, or 1 with one line if the Prometheus does not answer, or 2 if the arguments are wrong."""
    options = _arguments().parse_args(words)
    end = options.to or datetime.now(UTC)
    begin = options.begin or end - options.last
    scrape = options.scrape
    try:
        span = Span.of(begin, end, scrape=scrape)
        with Prometheus(options.prometheus, span=span, scrape=scrape, chosen=dict(options.choose)) as prometheus:
            options.out.mkdir(parents=True, exist_ok=True)
            for dashboard in DASHBOARDS:
                file = options.out / f"dashboard-{dashboard.uid.removeprefix('careline-')}.svg"
                file.write_text(drawn(dashboard, prometheus), encoding="utf-8")
                print(file)
    except (AnswerError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, AnswerError) else 2
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.draw", description="Draw every dashboard as SVG.")
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--from", dest="begin", type=_time, metavar="TIME")
    parser.add_argument("--to", type=_time, metavar="TIME", help="now, if not given")
    parser.add_argument(
        "--last", type=durations.parse, default=timedelta(hours=1), metavar="1h", help="if --from is not given"
    )
    parser.add_argument(
        "--scrape", type=durations.parse, default=timedelta(seconds=5), metavar="5s", help="the scrape interval"
    )
    parser.add_argument(
        "--choose", type=_choice, action="append", default=[], metavar="NAME=VALUE", help="a variable, as role=journeys"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    return parser


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _choice(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(text)
    return name, value


if __name__ == "__main__":
    sys.exit(main())
