"""The transactional processor: one transaction per batch, one owner per partition, and pure logic inside.

Exactly-once processing rests on eight rules, each implemented in one place:

1. one transactional id per partition, and the order of acquiring it: :mod:`.tenure`
2. every send awaited, and any failure discards the state in memory: :mod:`.partition`; a hanging commit stops the
   process: :mod:`.watchdog`
3. state changes are kept in an overlay until the commit returns: :mod:`.store`
4. offsets, state and outputs in one transaction, read read-committed downstream: :mod:`.transaction`
5. static membership: :mod:`.service`
6. a commit after a time or a number of records, batch builders: :mod:`.partition`, :mod:`.transaction`
7. duplicates and late events: handled by the logic, given the partition clock
8. dead letters in the same transaction, and a stop when most of a window fails: :mod:`.intake`
"""

from streams.processor.limits import Limits
from streams.processor.logic import Effect, Incoming, Logic, Performer, Send, Step
from streams.processor.service import Processor

__all__ = ["Effect", "Incoming", "Limits", "Logic", "Performer", "Processor", "Send", "Step"]
