"""The fuzzing drive: well-formed but extreme records against the real roles, among ordinary customers' lives.

More hostile inputs: another value in ``values``, another schema in ``variations``, another kind of record in ``shots``.
"""
