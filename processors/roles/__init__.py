"""Roles: processes that do one job each, made in one place and run in one way."""
