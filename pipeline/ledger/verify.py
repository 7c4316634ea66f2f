"""Auditing the books: tables recounted by scanning them, Kafka by an independent consumer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.ledger.read import Ledger, ledger_of
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table

SILENCE_S = 20.0
"""How long the consumer waits for a record or a partition's end before it gives up."""


class VerificationStalledError(RetryableError):
    """The independent consumer could not reach the committed offsets."""


@dataclass(frozen=True)
class Recount:
    """What is really there of one partition's committed offsets [first, next).

    Attributes:
        readable: records that a read-committed consumer is given of [earliest, next).
        earliest: the first offset that Kafka still holds; below it only the tables testify.
        rows, dead_letters: distinct coordinates in the tables.
        doubled: coordinates that stand more than once, in one table or over both.
    """

    partition: int
    earliest: int
    readable: int
    rows: int
    dead_letters: int
    doubled: int


@dataclass(frozen=True)
class Verification:
    """The ledger beside its recount; `problems` is empty when they agree."""

    ledger: Ledger
    recounts: tuple[Recount, ...]
    problems: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        """Whether the books balance and the recount agrees with them."""
        return self.ledger.balanced and not self.problems


def verify(cell: Cell, product: Product) -> Verification:
    """Recount everything the ledger of `product` claims, by other means than it was counted by.

    Reads every committed record of the topic again. Duplicates are checked by number, not one by one.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        VerificationStalledError: Kafka could not be read up to the committed offsets.
    """
    events = load_table(cell, events_table(product.name))
    side = load_table(cell, dead_letters_table(product.name))
    ledger = ledger_of(events, cell, product.name)
    if ledger.offsets is None:
        return Verification(ledger, (), ())
    rows, letters = _coordinates(events), _coordinates(side)
    readable = _readable(cell, ledger)
    recounts = []
    for partition, end in sorted(ledger.offsets.next.items()):
        here = (pl.col("_topic_partition") == partition) & (pl.col("_offset") < end)
        mine, dead = rows.filter(here), letters.filter(here)
        both = pl.concat([mine, dead])
        earliest, count = readable[partition]
        recounts.append(
            Recount(
                partition=partition,
                earliest=earliest,
                readable=count,
                rows=mine.unique().height,
                dead_letters=dead.unique().height,
                doubled=both.height - both.unique().height,
            )
        )
    return Verification(ledger, tuple(recounts), tuple(_disagreements(ledger, recounts)))


def _disagreements(ledger: Ledger, recounts: list[Recount]) -> Iterator[str]:
    claimed = ledger.by_partition()
    for found in recounts:
        name = f"partition {found.partition}"
        books = claimed.get(found.partition)
        if found.doubled:
            yield f"{name}: {found.doubled} coordinates stand more than once in the tables"
        if books is None:
            if found.rows or found.dead_letters:
                yield f"{name}: the tables hold records and the books no entry"
            continue
        if found.rows != books.rows:
            yield f"{name}: the books say {books.rows} rows, events hold {found.rows}"
        if found.dead_letters != books.dead_letters:
            yield (
                f"{name}: the books say {books.dead_letters} dead letters, "
                f"the table holds {found.dead_letters}"
            )
        first = ledger.offsets.first[found.partition] if ledger.offsets else 0
        said = books.rows + books.duplicates + books.dead_letters
        if found.earliest <= first and found.readable != said:
            yield (
                f"{name}: a consumer reads {found.readable} records where the books say {said}; "
                f"{abs(found.readable - said)} were passed over or made up"
            )


def _coordinates(table: Table) -> pl.DataFrame:
    arrow = table.scan(selected_fields=("_topic_partition", "_offset")).to_arrow()
    frame = pl.from_arrow(arrow)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame.select("_topic_partition", "_offset")


def _readable(cell: Cell, ledger: Ledger) -> dict[int, tuple[int, int]]:
    """Return partition -> (earliest offset, records a consumer is given up to the committed offset)."""
    offsets = ledger.offsets
    if offsets is None:
        return {}
    settings = {
        **cell.kafka,
        "bootstrap.servers": cell.bootstrap_servers,
        "group.id": "headwater-verify",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "message.max.bytes": 100_000_000,
        "fetch.message.max.bytes": 10_000_000,
        "fetch.wait.max.ms": 50,
    }
    consumer = Consumer(settings)
    try:
        found = {}
        for partition, end in offsets.next.items():
            where = TopicPartition(offsets.topic, partition)
            earliest, _ = consumer.get_watermark_offsets(where, timeout=SILENCE_S)
            start = max(earliest, offsets.first[partition])
            found[partition] = (earliest, _count(consumer, offsets.topic, partition, start, end))
        return found
    except KafkaException as error:
        raise VerificationStalledError(
            f"Kafka could not be read ({error}).",
            subject=f"{ledger.product}/{cell.name}",
            remedy="Check the broker with `headwater status`, then try again.",
        ) from error
    finally:
        consumer.close()


def _count(consumer: Consumer, topic: str, partition: int, start: int, end: int) -> int:
    if start >= end:
        return 0
    consumer.assign([TopicPartition(topic, partition, start)])
    seen = 0
    while True:
        # Short: it is waited out in full wherever fewer messages are left.
        messages = consumer.consume(5_000, timeout=0.1)
        for message in messages:
            error = message.error()
            offset = message.offset()
            if error is None and offset is not None:
                if offset >= end:
                    return seen
                seen += 1
                if offset == end - 1:
                    return seen
            elif error is not None and error.code() == KafkaError._PARTITION_EOF:
                return seen
            else:
                raise KafkaException(error)
        if not messages:
            (position,) = consumer.position([TopicPartition(topic, partition)])
            if position.offset != OFFSET_INVALID and position.offset >= end:
                return seen
            _refuse_silence(consumer, topic, partition)


def _refuse_silence(consumer: Consumer, topic: str, partition: int) -> None:
    # Raises KafkaException when the broker does not answer; a slow one is waited for.
    consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=SILENCE_S)
