"""The fuzzing drive: sends well-formed but extreme records to the real roles, among records of ordinary customers.

More hostile inputs: another value in ``values``, another schema in ``variations``, another kind of record in ``shots``.
"""
