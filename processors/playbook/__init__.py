"""Reads, validates, compares and watches playbook files. Their content is :mod:`processors.journey.playbook`."""

from processors.playbook.faults import Fault, PlaybookRefused
from processors.playbook.loading import PACKAGED, load_playbook, playbook_from, read_playbook

__all__ = ["PACKAGED", "Fault", "PlaybookRefused", "load_playbook", "playbook_from", "read_playbook"]
