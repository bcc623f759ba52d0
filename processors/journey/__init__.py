"""The pure core: what a touchpoint means for a customer's journey, and what we do about it.

No I/O, no clock, no randomness. Start reading at :mod:`processors.journey.core`, then a policy.
"""
