"""Dashboards as pictures, from a Prometheus's answers and in Grafana's grid, for where there is no Grafana."""
