"""``python -m deploy.grafana`` writes the JSON of every dashboard to deploy/grafana/dashboards."""

from __future__ import annotations

from pathlib import Path

from deploy.grafana.boards import DASHBOARDS
from deploy.grafana.made import made

FOLDER = Path(__file__).parent / "dashboards"


def main() -> None:
    """Write each as <uid>.json, and delete what is no dashboard any more."""
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.json"):
        if file.stem not in {dashboard.uid for dashboard in DASHBOARDS}:
            file.unlink()
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.uid}.json").write_text(made(dashboard), encoding="utf-8")


if __name__ == "__main__":
    main()
