"""Sending records to a topic of dead letters, and waiting until the broker has them."""

from __future__ import annotations

from collections.abc import Iterable

from kafka import KafkaProducer
from kafka.errors import AuthorizationError, KafkaError

from pipeline.dead_letters.topic.records import TopicRecord
from pipeline.kafka.errors import named_errors
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.security.access import Access, Operation
from pipeline.produce.event_writer import FLUSH_S, ProduceFailedError


class TopicSender:
    """Sends records to one topic, each to the partition of its number, or one of the fewer that there are."""

    def __init__(self, client: KafkaProducer, topic: TopicIdentity) -> None:
        self._client, self._topic = client, topic

    def send(self, records: Iterable[TopicRecord]) -> None:
        """Send records, and return once all replicas in sync have them.

        Raises:
            ProduceFailedError: some were not acknowledged; whether the broker has them is not known.
            KafkaAccessError: the cluster does not let this cell write the topic.
        """
        name, partitions = self._topic.topic, self._topic.partitions
        try:
            with named_errors(f"topic {name}", Access(Operation.WRITE, name)):
                sent = [
                    self._client.send(
                        name,
                        one.value,
                        one.key,
                        list(one.headers),
                        partitions[one.partition % len(partitions)],
                        one.time_ms,
                    )
                    for one in records
                ]
                self._client.flush(FLUSH_S)
                for future in sent:
                    future.get(0)
        except AuthorizationError:
            raise
        except KafkaError as error:
            raise ProduceFailedError(
                f"dead letters were not acknowledged ({error}).",
                subject=f"topic {name}",
                remedy="Check the broker with `headwater status`; sending them again does no harm.",
            ) from error
