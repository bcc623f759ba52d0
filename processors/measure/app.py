"""The Faust app: agents that keep one row for each letter or answer, in tables windowed by the hour of the event.

A row is always written as a whole, under an id, into the window of the event's own time. A repeated record writes the
same row into the same window, whereas a counter would count it twice. The figures are counted from the rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import FaustError
from yarl import URL

from processors.measure import metrics
from processors.measure.figures import HOUR, Answer, Figures, Letter, figures
from processors.measure.lag import records_left
from processors.measure.transport import CommittedTransport
from streams import events
from streams.avro.codec import Codec
from streams.avro.records import types_of
from streams.clock import from_millis, to_millis
from streams.config import Settings
from streams.errors import Unreadable
from streams.patience import Patience
from streams.subscribing.admission import Admission
from streams.topics import Topic

log = structlog.get_logger()
T = TypeVar("T")

_SESSION = timedelta(seconds=15)  # until the group continues without a killed worker; Faust's default is 60 s


class MeasureApp:
    """The Faust app (``faust``) with its agents and tables.

    Tables are kept in memory and in their changelog topics (``{prefix}measure-{table}-changelog``), from which a
    restarted worker recovers them. They contain ids, scores and times; customers only as digests.
    """

    def __init__(self, settings: Settings, *, codec: Codec, directory: Path) -> None:
        """``directory`` is where Faust creates its folders, which stay empty."""
        self._settings = settings
        self._codec = codec
        self._admission = Admission(settings.topics, writers=settings.allowed_writers)
        self._told: set[Any] = set()
        self._patience = Patience(stopping=lambda: False)  # Faust cancels waiting tasks itself
        self._topics: dict[str, tuple[Topic, frozenset[type[Any]]]] = {}
        self.written = 0
        """Increases with every row written, so that it shows whether earlier figures are out of date."""
        self.faust = faust.App(
            app_id(settings),
            broker=[URL(f"kafka://{address}") for address in settings.kafka_bootstrap.split(",")],
            broker_credentials=_credentials(settings),
            broker_client_id="careline-measure",
            broker_max_poll_records=2_000,
            broker_session_timeout=_SESSION.total_seconds(),
            broker_heartbeat_interval=_SESSION.total_seconds() / 5,
            consumer_auto_offset_reset="earliest",
            processing_guarantee="at_least_once",
            store="memory://",
            datadir=str(directory),
            topic_partitions=settings.partitions,
            topic_replication_factor=settings.replication,
            topic_disable_leader=True,
            stream_wait_empty=False,
            web_enabled=False,
            autodiscover=False,
        )
        self.faust.transport = CommittedTransport(self.faust.conf.broker_consumer, self.faust, loop=None)
        # outreach id -> the policy that requested it
        self._policies = self._table("policies")
        # outreach id, hour of sending -> to whom and when
        self._letters = self._table("letters").tumbling(HOUR, expires=None)
        # answer id, hour of the answer -> by whom, the score and when
        self._answers = self._table("answers").tumbling(HOUR, expires=None)
        # outreach id -> when its gesture was redeemed
        self._redeemed = self._table("redeemed")
        topics = settings.topics
        self._agent(topics.decisions, self._on_decisions)
        self._agent(topics.outcomes, self._on_outcomes)
        self._agent(topics.touchpoints, self._on_touchpoints)

    def figures(self) -> Figures:
        """The figures from the present rows."""
        return figures(
            policies=dict(self._policies.items()),
            letters=self._readable(self._letters.table, _letter),
            answers=self._readable(self._answers.table, _answer),
            redeemed=tuple(self._redeemed.keys()),
        )

    async def lag(self) -> dict[str, int]:
        """Records not counted yet, by topic. Raises KafkaError and FaustError where that is not known now."""
        return await records_left(self.faust.consumer, self._topics.keys())

    def _readable(self, table: Any, made: Callable[[str, Any], T]) -> Iterator[T]:
        """The rows that can be counted. Any other was written by another version or program, and is logged once."""
        for at, row in table.items():
            try:
                yield made(at[0], row)
            except Exception as error:
                if (table.name, at) not in self._told:
                    self._told.add((table.name, at))
                    log.warning("row_skipped", table=table.name, error=error)

    def _table(self, name: str) -> Any:
        return self.faust.Table(name, partitions=self._settings.partitions, key_type=str)

    def _agent(self, topic: Topic, handle: Any) -> None:
        full_name = self._settings.topics.full_name(topic)
        self._topics[full_name] = topic, types_of(topic)
        channel = self.faust.topic(
            full_name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=self._settings.partitions,
            allow_empty=True,
        )

        async def watched(stream: Any) -> None:
            try:
                await handle(stream)
            except Exception as error:
                # our own bug: Faust would restart the agent after the event and lose it, so end the role instead
                log.error("agent_failed", topic=full_name, exc_info=error)
                await self.faust.crash(error)
                raise

        self.faust.agent(channel, name=f"careline.measure.{topic.name}", concurrency=1)(watched)

    async def _on_decisions(self, stream: Any) -> None:
        await self._each(stream, self._take_decision)

    async def _on_outcomes(self, stream: Any) -> None:
        await self._each(stream, self._take_outcome)

    async def _on_touchpoints(self, stream: Any) -> None:
        await self._each(stream, self._take_touchpoint)

    def _take_decision(self, record: Any) -> None:
        if isinstance(record, events.Decision) and record.kind is events.DecisionKind.SEND and record.outreach_id:
            self._policies[record.outreach_id] = record.policy
            self._count(record)

    def _take_outcome(self, record: Any) -> None:
        # tasks for staff do not reach a customer
        if isinstance(record, events.OutreachSent) and record.channel is not events.OutreachChannel.AGENT_TASK:
            row = {"customer": digest(record.customer_id), "at": to_millis(record.occurred_at)}
            self._letters.relative_to(record.occurred_at.timestamp())[record.outreach_id] = row
            self._count(record)
        elif isinstance(record, events.OutreachEngaged) and record.kind is events.Engagement.REDEEMED:
            self._redeemed[record.outreach_id] = {"at": to_millis(record.occurred_at)}
            self._count(record)

    def _take_touchpoint(self, record: Any) -> None:
        asked = isinstance(record, events.FeedbackGiven) and record.kind is events.FeedbackKind.CSAT
        if asked and record.score is not None:  # on its scale, as every accepted touchpoint is
            row = {"customer": digest(record.customer_id), "score": record.score, "at": to_millis(record.occurred_at)}
            self._answers.relative_to(record.occurred_at.timestamp())[answer_id(record)] = row
            self._count(record)

    async def _each(self, stream: Any, take: Callable[[Any], None]) -> None:
        """Process the records; acknowledge each once it is processed or skipped.

        By default Faust acknowledges an event whose agent failed, and its row is lost. An error of Kafka or Faust ends
        the role, which starts again at this record; any other exception skips this record alone.
        """
        async for event in stream.noack().events():
            message = event.message
            topic, types = self._topics[message.topic]
            try:
                record: Any = await self._decode(message.value, among=types)
                self._admission.check(record, topic, now=from_millis(int(message.timestamp * 1000)))
                take(record)
            except Unreadable as why:
                _skip(message, why.reason)
            except (KafkaError, FaustError, MemoryError):
                raise
            except Exception as error:
                _skip(message, "unprocessable", error)
            event.ack()

    async def _decode(self, value: bytes | None, *, among: frozenset[type[Any]]) -> Any:
        return await self._patience.answered(partial(self._codec.decode, value, among=among))

    def _count(self, record: Any) -> None:
        self.written += 1
        metrics.MEASURE_RECORDS.labels(record=type(record).__name__).inc()


def _letter(outreach_id: str, row: Any) -> Letter:
    sent_at = from_millis(row["at"])
    return Letter(outreach_id=str(outreach_id), customer=str(row["customer"]), sent_at=sent_at)


def _answer(identity: str, row: Any) -> Answer:
    score, answered_at = int(row["score"]), from_millis(row["at"])
    return Answer(answer_id=str(identity), customer=str(row["customer"]), score=score, answered_at=answered_at)


def _skip(message: Any, reason: str, error: Exception | None = None) -> None:
    metrics.MEASURE_SKIPPED.labels(topic=message.topic, reason=reason).inc()
    where = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    log.warning("skipped", **where, reason=reason, exc_info=error)


def app_id(settings: Settings) -> str:
    """The app's name: its consumer group, and the prefix of its topics."""
    return f"{settings.topic_prefix}measure"


def changelogs(settings: Settings) -> tuple[str, ...]:
    """The changelog topics of the tables."""
    return tuple(f"{app_id(settings)}-{table}-changelog" for table in ("policies", "letters", "answers", "redeemed"))


def digest(customer_id: str) -> str:
    """A customer's pseudonym in the tables: enough to tell customers apart, but not to identify them."""
    return hashlib.blake2b(customer_id.encode(), digest_size=12).hexdigest()


def answer_id(given: events.FeedbackGiven) -> str:
    """An answer's id in the table: several customers, or one customer for several subjects, may use one feedback id."""
    parts = json.dumps([given.customer_id, given.feedback_id, given.about])
    return hashlib.blake2b(parts.encode(), digest_size=12).hexdigest()


def _credentials(settings: Settings) -> Any:
    client = settings.kafka_client()
    context = client.get("ssl_context")
    if "sasl_mechanism" in client:
        return faust.SASLCredentials(
            mechanism=client["sasl_mechanism"],
            username=client["sasl_plain_username"],
            password=client["sasl_plain_password"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
