"""The transactional processor: one transaction a batch, one owner a partition, a pure logic inside.

Eight rules keep it exact; each is kept in one place:

1. one transactional id a partition, and the order of taking it: :mod:`.tenure`
2. every send awaited, any failure ends the tenure and its memory: :mod:`.partition`; a hanging commit stops the
   process: :mod:`.watchdog`
3. state changes in an overlay until the commit returned: :mod:`.store`
4. offsets, state and outputs in one transaction, read read-committed downstream: :mod:`.transaction`
5. static membership: :mod:`.service`
6. a commit every so many milliseconds or records, batch builders: :mod:`.partition`, :mod:`.transaction`
7. duplicates and late events: the logic's, on what the clock here tells it
8. dead letters in the same transaction, and a stop when most of a window fails: :mod:`.intake`
"""

from streams.processor.census import Class, Classes, Figures
from streams.processor.limits import Limits
from streams.processor.logic import Effect, Incoming, Logic, Performer, Send, Step
from streams.processor.service import Processor

__all__ = [
    "Class",
    "Classes",
    "Effect",
    "Figures",
    "Incoming",
    "Limits",
    "Logic",
    "Performer",
    "Processor",
    "Send",
    "Step",
]
