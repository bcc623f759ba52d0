"""The dead letters as a whole: all that are kept, and publishing them again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from streams.broker.answering import kafka_unavailable
from streams.broker.closing import closed
from streams.broker.fetched import AIOKafkaConsumer
from streams.broker.sealed import SEALED
from streams.config import Settings
from streams.subscribing.dead_letters import DeadLetter, is_of_dead_letters
from streams.subscribing.subscriber import Subscriber

_PATIENCE_MS = 10_000  # for one record that may be large


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A dead letter and where it lies."""

    partition: int
    offset: int
    at: int
    letter: DeadLetter

    @property
    def place(self) -> str:
        """As the commands take it."""
        return f"{self.partition}:{self.offset}"

    @property
    def origin(self) -> str:
        """Where it came from."""
        return f"{self.letter.topic}[{self.letter.partition}]"


async def all_kept(settings: Settings) -> list[Kept]:
    """Every dead letter, the oldest first. Raises Unavailable."""
    found: list[Kept] = []
    async with Subscriber(settings, settings.topics.dead_letters.name, until_end=True) as subscriber:
        async for raw in subscriber.raw():
            letter = DeadLetter.of(raw)
            found.append(Kept(partition=raw.partition, offset=raw.offset, at=raw.timestamp, letter=letter))
    return sorted(found, key=lambda one: (one.at, one.partition, one.offset))


def once_each(letters: Iterable[Kept]) -> list[Kept]:
    """One letter for each record, however many readers put it aside, in the order of their topics."""
    by_origin = {(one.letter.topic, one.letter.partition, one.letter.offset): one for one in letters}
    # as they were on their topic, so that a customer's events keep their order
    return [by_origin[origin] for origin in sorted(by_origin)]


async def original_of(settings: Settings, letter: DeadLetter) -> DeadLetter | None:
    """A shortened dead letter, whole again: the record at the place that it names. None where that is gone.

    Raises KafkaError where the brokers do not answer.
    """
    tp = TopicPartition(letter.topic, letter.partition)
    consumer = AIOKafkaConsumer(**settings.kafka_client(), enable_auto_commit=False, auto_offset_reset="none")
    await consumer.start()
    try:
        consumer.assign([tp])
        first = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        if not first <= letter.offset < end:
            return None
        consumer.seek(tp, letter.offset)
        fetched = await consumer.getmany(tp, timeout_ms=_PATIENCE_MS, max_records=1)
        for record in fetched.get(tp, ()):
            if record.offset == letter.offset and letter.is_original(record):
                headers = tuple((name, value) for name, value in record.headers if not is_of_dead_letters(name))
                return replace(letter, key=record.key, value=record.value, headers=headers, truncated=())
        return None
    finally:
        await closed(consumer)


async def publish_again(settings: Settings, letters: Iterable[Kept]) -> list[tuple[Kept, str]]:
    """The same bytes, key, headers and time to where they came from; those the broker refuses, and why.

    Raises Unavailable; what was published before stays published.
    """
    refused: list[tuple[Kept, str]] = []
    producer = AIOKafkaProducer(
        **settings.kafka_client(), enable_idempotence=True, acks="all", max_request_size=9 << 20
    )
    try:
        await producer.start()
        for one in letters:
            letter = one.letter
            if letter.offset < 0:
                refused.append((one, "is no record: what it tells of is tried again by itself"))
                continue
            if letter.reason == SEALED:
                refused.append((one, "is a batch that no reader can open: its publisher has to send it again"))
                continue
            if letter.truncated:
                whole = await original_of(settings, letter)
                if whole is None:
                    refused.append((one, f"only its beginning was kept, and {one.origin} no longer has the whole"))
                    continue
                letter = whole
            if letter.key is None and letter.value is None:
                refused.append((one, "has neither key nor value: there is nothing to publish"))
                continue
            try:
                await producer.send_and_wait(
                    letter.topic,
                    key=letter.key,
                    value=letter.value,
                    # without a key nothing says where it belongs but where it was
                    partition=letter.partition if letter.key is None else None,
                    timestamp_ms=letter.timestamp if letter.timestamp >= 0 else None,
                    headers=list(letter.headers),
                )
            except MessageSizeTooLargeError:
                refused.append((one, f"{letter.topic} takes no record of {len(letter.value or b'')} bytes"))
    except KafkaError as error:
        raise kafka_unavailable(settings, error) from error
    finally:
        await closed(producer)
    return refused
