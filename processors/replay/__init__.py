"""Replay: runs the production core over the retained touchpoints and compares its decisions with the recorded ones.

It cannot send anything: no module that it imports has a producer, and a :class:`~processors.replay.source.Source` only
reads. A test checks this.
"""

from processors.replay.report import Report
from processors.replay.run import replay

__all__ = ["Report", "replay"]
