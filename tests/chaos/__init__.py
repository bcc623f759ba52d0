"""Faults, and the proof that nothing comes of them: ``python -m tests.chaos --kills 30 --seed 1``.

The oracle (:mod:`.oracle`) is the pure core itself, over the input as it is read back from the topics. Whatever is done
to the workers, the broker, the registry or Redis meanwhile, what a read-committed reader sees has to be what the oracle
says: each state, each decision, each outreach, once, in the order of its customer.
"""
