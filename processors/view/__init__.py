"""The view: what is known of each customer, projected to Redis. Rebuildable at any time, never the truth.

Keys, all under ``careline:view:`` (times are milliseconds since 1970, documents are compact JSON without what is as the
defaults have it, deflated by :mod:`processors.view.packing`). History is bounded, by :class:`projection.Bounds`:

=======================  ======  ===============================================================================
``generation``           string  marks a view that is whole; without it everything is projected again
``positions``            hash    ``topic/partition`` -> the next offset to read; written with what was read
``erased``               hash    customer -> the time up to which nothing of them is shown any more
``customer:{customer}``  string  the latest journey state
``timeline:{customer}``  zset    the latest entries by time and where each stands: a fact, or ``of`` which outreach
``outreaches:{customer}``  zset  outreach ids by the time of the decision
``outreach:{outreach}``  hash    ``request``, ``retraction``, ``task``, ``decision/{id}``, ``outcome/{id}``,
                                 ``done/{id}`` -> the record
``tasks:{team}``         zset    the tasks that the team has to do, as outreach ids, by the time they are due
``teams``                set     the teams that ever had a task
=======================  ======  ===============================================================================
"""
