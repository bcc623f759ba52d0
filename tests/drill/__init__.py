"""The drive of faults under the eyes of a real Prometheus: does the right alert fire, and does it end?

``python -m tests.drill`` runs it; ``python -m tests.drill.table`` writes its figures into docs/reliability.md.
"""
