"""Publish with Confluent's client: the schemas are files. Needs a stack, and confluent-kafka[avro,schemaregistry]."""

import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

topic = os.environ.get("CARELINE_TOPIC_PREFIX", "careline.") + "touchpoints"
serialize = AvroSerializer(
    SchemaRegistryClient({"url": os.environ["CARELINE_REGISTRY_URL"]}),
    Path("schemas/touchpoint/DelayNoticed/v1.avsc").read_text(),
    conf={
        "auto.register.schemas": False,
        "use.latest.version": True,
        "subject.name.strategy": topic_record_subject_name_strategy,
    },
)
now = datetime.now(UTC)
event = {
    "event_id": str(uuid.uuid4()),
    "customer_id": "ana",
    "occurred_at": now,
    "source": "urn:acme:warehouse",
    "subject_kind": "order",
    "subject_id": "O-118842",
    "description": "desk lamp",
    "order_id": "O-118842",
    "promised_at": now + timedelta(days=1),
    "expected_at": now + timedelta(days=3),
    "cancelled": False,
    "reason": "WAREHOUSE",
}
producer = Producer(
    {"bootstrap.servers": os.environ["CARELINE_KAFKA_BOOTSTRAP"], "partitioner": "murmur2_random", "acks": "all"}
)
producer.produce(
    topic, key=event["customer_id"], value=serialize(event, SerializationContext(topic, MessageField.VALUE))
)
assert producer.flush(30) == 0
