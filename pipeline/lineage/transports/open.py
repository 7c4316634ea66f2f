"""The way to a cell's collector that its settings name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from pipeline.lineage.collector import Collector


class Sender(Protocol):
    """An open way to a collector."""

    def send(self, lines: Sequence[str]) -> int:
        """Send events in their order; return how many of them the collector will never take.

        Returned means that the collector has all others.

        Raises:
            CollectorUnavailableError, CollectorRefusedError: it may have some of them.
            KafkaAccessError, KafkaTlsError, KafkaSettingError, TokenUnavailableError: likewise.
        """
        ...


@contextmanager
def opened(collector: Collector) -> Iterator[Sender]:
    """Yield the way to `collector`, closed at the end.

    Raises: as `Sender.send`.
    """
    # Each loads a client that the other has no need of.
    if collector.transport == "kafka":
        from pipeline.lineage.transports import kafka

        with kafka.opened(collector) as sender:
            yield sender
    else:
        from pipeline.lineage.transports import http

        with http.opened(collector) as sender:
            yield sender


def look(collector: Collector) -> None:
    """Go on if the collector answers. Sends nothing, so that it may take no event all the same.

    Raises: as `Sender.send`.
    """
    if collector.transport == "kafka":
        with opened(collector):
            return
    from pipeline.lineage.transports import http

    http.look(collector)
