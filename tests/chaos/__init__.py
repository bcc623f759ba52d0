"""Fault injection, and the check that faults have no effect: ``python -m tests.chaos --kills 30 --seed 1``.

The oracle (:mod:`.oracle`) runs the pure core over the input as it is read back from the topics. Whatever happens to
the workers, the broker, the registry or Redis meanwhile, a read-committed reader must see what the oracle expects: each
state, each decision and each outreach once, in order for each customer.
"""
