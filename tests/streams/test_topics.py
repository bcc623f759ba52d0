"""The topic catalogue is the contract other services build on."""

from __future__ import annotations

import pytest

import schemas
from streams.avro.records import RECORDS
from streams.topics import Cleanup, Topics

TOPICS = Topics()

CONTRACT = {
    "careline.touchpoints": ("customer_id", "delete", 30),
    "careline.journeys": ("customer_id", "compact", None),
    "careline.decisions": ("customer_id", "delete", 90),
    "careline.outreach": ("customer_id", "delete", 30),
    "careline.outcomes": ("customer_id", "delete", 90),
    "careline.exposures": ("customer_id", "delete", 90),
    "careline.agent-tasks": ("customer_id", "delete", 30),
    "careline.outreach-ledger": ("outreach_id", "compact", None),
    "careline.dead-letters": ("as it was", "delete", 90),
}


def test_the_contract() -> None:
    """Names, keys, clean-up and retention are as they were promised."""
    assert {
        TOPICS.full_name(topic): (topic.key, topic.cleanup.value, topic.retention.days if topic.retention else None)
        for topic in TOPICS.all()
    } == CONTRACT


def test_every_record_travels_somewhere() -> None:
    """Every record of the contract has a schema, a class and a topic, and nothing else travels."""
    carried = {record for topic in TOPICS.all() for record in topic.records}
    assert carried == set(RECORDS) == set(schemas.names())


def test_outcomes_come_back_as_touchpoints() -> None:
    """What became of an outreach is a fact the journey hears of."""
    assert set(TOPICS.outcomes.records) <= set(TOPICS.touchpoints.records)


def test_subjects() -> None:
    """TopicRecordName where a topic carries several records, TopicName where it carries one."""
    late = "careline.touchpoint.DelayNoticed"
    assert TOPICS.subject(TOPICS.touchpoints, late) == f"careline.touchpoints-{late}"
    assert TOPICS.subject(TOPICS.journeys, "careline.journey.JourneyState") == "careline.journeys-value"
    subjects = [subject for subject, _ in TOPICS.subjects()]
    assert len(subjects) == len(set(subjects)) == sum(len(topic.records) for topic in TOPICS.all())


def test_another_prefix() -> None:
    """The same catalogue under another name, there and back."""
    topics = Topics(prefix="staging.")
    for topic in topics.all():
        assert topics.full_name(topic).startswith("staging.")
        assert topics.by_full_name(topics.full_name(topic)) is topic
    with pytest.raises(KeyError):
        topics.by_full_name("careline.touchpoints")


def test_settings_on_the_broker() -> None:
    """Clean-up, retention in milliseconds and size, in Kafka's own names."""
    config = TOPICS.touchpoints.config()
    assert config["cleanup.policy"] == "delete"
    assert config["retention.ms"] == str(30 * 24 * 3600 * 1000)
    assert config["max.message.bytes"] == str(1 << 20)
    assert TOPICS.journeys.config()["cleanup.policy"] == Cleanup.COMPACT
    assert "retention.ms" not in TOPICS.journeys.config()


def test_a_day_of_long_ago_is_kept() -> None:
    """A replayed day is not deleted for its age."""
    assert TOPICS.touchpoints.config(keep_history=True)["retention.ms"] == "-1"


def test_dead_letters_hold_whatever_was_read() -> None:
    """What was too large for its topic still fits among the dead letters, byte for byte."""
    assert TOPICS.dead_letters.max_bytes >= 8 * TOPICS.touchpoints.max_bytes
    assert TOPICS.dead_letters.records == ()
