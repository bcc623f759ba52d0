"""The pure core: folds touchpoints into a customer's journey state and decides what to send.

No I/O, no clock, no randomness. Start reading at :mod:`processors.journey.core`, then a policy.
"""
