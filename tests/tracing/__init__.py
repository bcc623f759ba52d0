"""Traces: what a real OTLP receiver gets of them."""
