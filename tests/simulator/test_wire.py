"""What is simulated can be published."""

from __future__ import annotations

import io

import fastavro

import schemas
from processors.simulator import StormDay
from streams.avro.codec import parse
from streams.avro.records import NAMES, builder_of, to_values
from streams.publishing.validation import check_outgoing
from tests.simulator.conftest import facts


def test_every_event_survives_the_wire(storm: StormDay) -> None:
    """Each event of the day encodes with its published schema and decodes to what it was."""
    parsed = {name: parse(schemas.latest(name)) for name in NAMES.values()}
    for event in facts(storm):
        name = NAMES[type(event)]
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed[name], to_values(event), disable_tuple_notation=True)
        body.seek(0)
        values = fastavro.schemaless_reader(body, parsed[name], None)
        assert isinstance(values, dict)
        assert builder_of(type(event))(values) == event


def test_every_event_passes_the_publishers_check(storm: StormDay) -> None:
    """No event of the day would be refused by the publisher at the time it arrives."""
    for arrival in storm.arrivals:
        check_outgoing(arrival.event, now=arrival.at)
