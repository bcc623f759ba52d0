"""A broker of one process, for tests: what :mod:`streams.broker.contract` promises, without a server.

It keeps topics, transactions with their fencing, committed offsets and consumer groups as Kafka does, down to the
offsets that the ends of transactions take and the sizes that are refused, and it uses neither threads nor timers of its
own. ``memory://name`` as an address is the same broker for everybody in the process.
"""

from streams.broker.memory.broker import MemoryBroker

__all__ = ["MemoryBroker"]
