"""The six dashboards, one a module, as values of :mod:`deploy.grafana.model`."""

from __future__ import annotations

from deploy.grafana.boards.dead_letters import DEAD_LETTERS
from deploy.grafana.boards.glance import GLANCE
from deploy.grafana.boards.journeys import JOURNEYS
from deploy.grafana.boards.outreach import OUTREACH
from deploy.grafana.boards.processes import PROCESSES
from deploy.grafana.boards.view import VIEW
from deploy.grafana.model import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (GLANCE, JOURNEYS, OUTREACH, DEAD_LETTERS, VIEW, PROCESSES)
"""In the order in which somebody looks at them who is woken at night."""

__all__ = ["DASHBOARDS"]
