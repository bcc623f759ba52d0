"""Dashboards as code: a model of panels, the six dashboards, their Grafana JSON and their pictures."""
