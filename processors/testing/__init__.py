"""The test kit for authors of policies and playbooks: given a customer's events, it checks what is decided.

    given(profile()).when(delay(minutes=45)).then("send notice with free-book")

It runs the same pure core as the journeys role, including the guard, with time as an argument: no broker, no clock, no
network. :doc:`docs/testing.md` explains it with examples.
"""

from processors.testing.customer import (
    CUSTOMER,
    FRIDAY,
    HOOK,
    MAIL,
    NOON,
    TODAY,
    TWO,
    answer,
    arrived,
    asks,
    at,
    cancellation,
    cannot_have,
    closes,
    consent,
    delay,
    departure,
    done,
    engages,
    erased,
    facts,
    feedback,
    given_by_agent,
    late,
    order_cancelled,
    ordered,
    posts,
    profile,
    sent,
    shipped,
)
from processors.testing.lines import told
from processors.testing.playbooks import playbook
from processors.testing.scenario import Scenario, given

__all__ = [
    "CUSTOMER",
    "FRIDAY",
    "HOOK",
    "MAIL",
    "NOON",
    "TODAY",
    "TWO",
    "Scenario",
    "answer",
    "arrived",
    "asks",
    "at",
    "cancellation",
    "cannot_have",
    "closes",
    "consent",
    "delay",
    "departure",
    "done",
    "engages",
    "erased",
    "facts",
    "feedback",
    "given",
    "given_by_agent",
    "late",
    "order_cancelled",
    "ordered",
    "playbook",
    "posts",
    "profile",
    "sent",
    "shipped",
    "told",
]
