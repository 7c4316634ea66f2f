"""Events sent to a topic, keyed so that those of a run and its children keep their order.

OpenLineage's own transport to Kafka does not tell whether an event was delivered, so that nothing could wait
for a cluster that is away: docs/adr/0052-lineage-waits-on-disk.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.kafka.librdkafka import producing
from pipeline.lineage.collector import Collector
from pipeline.lineage.document import run_key
from pipeline.lineage.errors import CollectorRefusedError, CollectorUnavailableError

_DENIED = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - the library's name of it
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
_TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE


class KafkaSender:
    """Sends events and waits until the cluster has them."""

    def __init__(self, collector: Collector, producer: Producer) -> None:
        self._collector = collector
        self._producer = producer

    def send(self, lines: Sequence[str]) -> int:
        """See `Sender`."""
        failed: list[KafkaError] = []

        def told(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error)

        refused = sum(not self._is_queued(line, told) for line in lines)
        left = self._producer.flush(self._collector.timeout_s)
        if left or failed:
            self._producer.purge()
            self._producer.poll(0)
        if any(error.code() in _DENIED for error in failed):
            raise CollectorRefusedError(
                f"the cluster takes no events ({failed[0].name()}).",
                subject=self._collector.address,
                remedy="Make the topic, and let the login `Write` to it.",
            )
        if left or failed:
            why = failed[0].name() if failed else "no answer in time"
            raise self._unavailable(why)
        return refused

    def _is_queued(self, line: str, told: Callable[[KafkaError | None, Message], None]) -> bool:
        try:
            self._producer.produce(
                self._collector.topic, key=run_key(line), value=line.encode(), on_delivery=told
            )
        except KafkaException as error:
            if error.args[0].code() == _TOO_LARGE:
                return False
            raise self._unavailable(error.args[0].name()) from error
        except BufferError as error:
            raise self._unavailable("its producer is full") from error
        return True

    def _unavailable(self, why: str) -> CollectorUnavailableError:
        return unavailable(self._collector, why)


@contextmanager
def opened(collector: Collector) -> Iterator[KafkaSender]:
    """Yield the way to a topic of a cluster that has answered.

    Raises: as `Sender.send`.
    """
    try:
        with producing(collector.cluster, collector.topic, collector.timeout_s) as producer:
            yield KafkaSender(collector, producer)
    except KafkaException as error:
        raise unavailable(collector, error.args[0].name()) from error


def unavailable(collector: Collector, why: str) -> CollectorUnavailableError:
    """Return the error of a cluster that did not take what it was sent."""
    return CollectorUnavailableError(
        f"it does not take events ({why}).",
        subject=collector.address,
        remedy="Let it be started; events wait on disk, and go once it answers.",
    )
