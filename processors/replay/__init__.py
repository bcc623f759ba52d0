"""What was decided, decided again: the production core over the touchpoints that are kept, compared with the record.

It can send nothing. No module in its reach knows a producer, and a :class:`~processors.replay.source.Source` only
reads; a test holds that.
"""

from processors.replay.report import Report
from processors.replay.run import replay

__all__ = ["Report", "replay"]
