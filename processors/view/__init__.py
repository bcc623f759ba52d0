"""The view: what is known of each customer, projected to Redis. It can be rebuilt at any time and is never the truth.

Keys, all under ``careline:view:`` (times are milliseconds since 1970; documents are compact JSON without the fields
that have their default, deflated by :mod:`processors.view.packing`). :class:`projection.Bounds` limits the history:

=======================  ======  ===============================================================================
``generation``           string  marks a complete view; without it everything is projected again
``positions``            hash    ``topic/partition`` -> the next offset to read; written with what was read
``erased``               hash    customer -> the time up to which nothing of them is shown any more
``customer:{customer}``  string  the latest journey state
``timeline:{customer}``  zset    the latest entries by time: a fact, or a reference (``of``) to its outreach
``outreaches:{customer}``  zset  outreach ids by the time of the decision
``outreach:{outreach}``  hash    ``request``, ``retraction``, ``task``, ``decision/{id}``, ``outcome/{id}``,
                                 ``done/{id}`` -> the record
``tasks:{team}``         zset    the open tasks of the team, as outreach ids, by the time they are due
``teams``                set     the teams that ever had a task
=======================  ======  ===============================================================================
"""
