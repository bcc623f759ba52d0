"""The texts of a playbook have to be letters: what the dispatcher would refuse to write is refused here."""

from __future__ import annotations

from collections.abc import Iterator

from processors.outreach.sources import Texts
from processors.outreach.texts import check_texts
from processors.playbook.faults import Misfit


def unwritable(texts: Texts) -> Iterator[Misfit]:
    """Every text that cannot be written to a customer, and why."""
    for fault in check_texts(texts):
        place = ("texts", *filter(None, (fault.letter, fault.locale, fault.part)))
        yield place, f"line {fault.line} of it: {fault.problem}" if fault.line else fault.problem
