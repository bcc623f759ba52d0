"""The metrics of the measure role. Each with what a change means."""

from __future__ import annotations

from streams.instruments import Counter, Gauge
from streams.labels import Closed
from streams.metrics import POLICIES, REASONS, RECORDS, REGISTRY, TOPICS

GROUPS = Closed("written_to", "not_written_to")

MEASURE_RECORDS = Counter(
    "careline_measure_records_total",
    "Facts counted by the measurements, by record.",
    {"record": RECORDS},
    registry=REGISTRY,
)
MEASURE_SKIPPED = Counter(
    # Rises with careline_dead_letters_total: the same records, which the journeys role writes to the dead-letter topic.
    "careline_measure_skipped_total",
    "Records the measurements leave out: unreadable, against the contract, or failing there (unprocessable).",
    {"topic": TOPICS, "reason": REASONS},
    registry=REGISTRY,
)
MEASURE_LETTERS = Gauge(
    "careline_measure_letters", "Letters by policy, all hours.", {"policy": POLICIES}, registry=REGISTRY
)
# Grows as customers redeem what we gave them. Flat despite many letters: the gesture is not worth its cost.
MEASURE_REDEEMED = Gauge(
    "careline_measure_redeemed", "Gestures redeemed, by policy.", {"policy": POLICIES}, registry=REGISTRY
)
MEASURE_SATISFACTION = Gauge(
    "careline_measure_satisfaction_mean",
    "Mean CSAT (1 to 5) of customers written to and of others.",
    {"group": GROUPS},
    registry=REGISTRY,
)
MEASURE_SATISFACTION_BOUND = Gauge(
    # Far apart: too few answers to say anything; the bounds of the two groups overlap: no difference is shown.
    "careline_measure_satisfaction_bound",
    "Bounds of the 95 % interval of the mean CSAT.",
    {"group": GROUPS, "bound": Closed("low", "high")},
    registry=REGISTRY,
)
MEASURE_ANSWERS = Gauge(
    "careline_measure_satisfaction_answers",
    "CSAT answers behind the mean.",
    {"group": GROUPS},
    registry=REGISTRY,
)
