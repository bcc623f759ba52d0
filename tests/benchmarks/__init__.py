"""Benchmarks: how fast we are, compared with whom, and where the time goes."""
