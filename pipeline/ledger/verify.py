"""Auditing the ledger: tables recounted by scanning them, Kafka by an independent consumer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ledger.consumer import (
    ConsumedPartition,
    Offsets,
    VerificationStalledError,
    is_in,
    reread,
)
from pipeline.ledger.evidence import gather_evidence
from pipeline.ledger.identities import IdentityReader
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.read import LAST_HOURS, ledger_of
from pipeline.ledger.recount import Recount, disagreements, unproven
from pipeline.schemas.open import open_registry
from pipeline.tables.catalog import load_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import dead_letters_table, events_table
from pipeline.tables.offsets import CommittedOffsets

__all__ = ["Recount", "Verification", "VerificationStalledError", "verify_ledger"]


@dataclass(frozen=True)
class Verification:
    """The ledger beside its recount.

    Attributes:
        problems: what does not agree; empty when all that can be compared does.
        unproven: what cannot be compared any more, because Kafka has removed it since.
    """

    ledger: Ledger
    recounts: tuple[Recount, ...]
    problems: tuple[str, ...]
    unproven: tuple[str, ...] = ()

    @property
    def balanced(self) -> bool:
        """Whether the ledger balances and the recount agrees with them."""
        return self.ledger.balanced and not self.problems


def verify_ledger(cell: Cell, product: Product, last: int = LAST_HOURS) -> Verification:
    """Recount everything the ledger of `product` claims, by other means than it was counted by.

    Every entry ever made is added up anew; that the closed balance is another sum is a problem. `last` as
    for `read_ledger`.

    Reads every committed record of the topic again. Each that can be read is a row, a dead letter, or a
    duplicate whose uuid is a row's; each coordinate in the tables is one of a record that can be read, or
    one that Kafka has removed since: by retention, below its earliest offset, or by compaction, where no
    batch of it tells of the offset. Of rows that retention has deleted from events, as many are missing of
    each partition as it says, and of their records, and duplicates of these, no more can be read. Markers and
    aborted records are told from those by their batches, as long as these are there. Kafka may compact and
    expire meanwhile. NOT proven, and said: what was at offsets that Kafka has removed. Values are not
    compared.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogLostError, FileMissingError, FileDamagedError: the tables cannot be read.
        VerificationStalledError: Kafka could not be read up to the committed offsets.
        RegistryUnavailableError: the schemas of duplicates could not be looked up.
        CatalogUnavailableError, WarehouseUnavailableError, BrokerUnavailableError: try again later.
        KafkaAccessError: the cluster refused.
    """
    events = load_table(cell, events_table(product.name))
    dead_letters = load_table(cell, dead_letters_table(product.name))
    ledger = ledger_of(events, cell, product.name, last)
    if ledger.offsets is None:
        return Verification(ledger, (), ())
    rows, dead = _coordinates(events), _coordinates(dead_letters)
    counted = {p: _count(p, ledger.offsets, rows, dead) for p in sorted(ledger.offsets.next)}
    held = {p: both for p, (_, both) in counted.items()}
    identities = IdentityReader(product, open_registry(cell), ledger.offsets)
    subject = f"{product.name}/{cell.name}"
    retention = ledger.retention
    read = reread(cell, subject, ledger.offsets, held, identities.read, retention.before)
    known = _known(events, {one for found in read.values() for one in found.unmatched.values()})
    by_partition = ledger.by_partition()
    recounts: list[Recount] = []
    problems: list[str] = []
    left: list[str] = []
    for partition, (partial, both) in counted.items():
        mine = by_partition.get(partition)
        said = 0 if mine is None else mine.rows + mine.duplicates + mine.dead_letters
        found = _compare(cell, ledger.offsets, partial, both, read[partition], known, said)
        recounts.append(found)
        if read[partition].latest < ledger.offsets.next[partition]:
            problems.append(
                f"partition {partition}: Kafka ends at {read[partition].latest}, "
                f"and {ledger.offsets.next[partition]} is committed"
            )
        deleted = retention.rows_of(partition)
        problems += disagreements(found, mine, ledger.offsets.first[partition], deleted)
        left += unproven(found, mine, deleted)
    return Verification(ledger, tuple(recounts), tuple(problems), tuple(left))


def _count(
    partition: int, committed: CommittedOffsets, rows: pl.DataFrame, dead_letters: pl.DataFrame
) -> tuple[Recount, Offsets]:
    """Return what the tables hold of a partition, and the offsets of that, ascending."""
    first, end = committed.first[partition], committed.next[partition]
    of_it = pl.col("_topic_partition") == partition
    inside = of_it & (pl.col("_offset") < end)
    mine, dead = rows.filter(inside), dead_letters.filter(inside)
    both = pl.concat([mine, dead])
    offsets = both.get_column("_offset").unique().sort().to_numpy()
    outside = of_it & ((pl.col("_offset") >= end) | (pl.col("_offset") < first))
    counts = Recount(
        partition=partition,
        earliest=first,
        readable=0,
        rows=mine.unique().height,
        dead_letters=dead.unique().height,
        doubled=both.height - len(offsets),
        beyond=rows.filter(outside).height,
    )
    return counts, offsets


def _compare(
    cell: Cell,
    committed: CommittedOffsets,
    counted: Recount,
    held: Offsets,
    read: ConsumedPartition,
    known: frozenset[str],
    said: int,
) -> Recount:
    partition = counted.partition
    first, end = committed.first[partition], min(committed.next[partition], read.latest)
    twins = sum(uuid in known for uuid in read.unmatched.values() if uuid is not None)
    absent = held[~is_in(held, read.offsets)]
    earliest, made_up, removed = read.earliest, 0, None
    of_all = earliest <= first and said != len(read.offsets)
    if of_all or (absent >= earliest).any():
        earliest, evidence = gather_evidence(cell, committed, partition, end)
        made_up = int(evidence.holds(absent[absent >= earliest]).sum())
        left = int((read.offsets >= earliest).sum())
        removed = end - earliest - evidence.offsets - left
    return replace(
        counted,
        earliest=earliest,
        readable=len(read.offsets),
        twins=twins,
        passed_over=len(read.unmatched) - twins,
        past_retention=read.past_retention,
        made_up=made_up,
        unseen=len(absent) - made_up,
        removed=removed,
    )


def _known(events: Table, uuids: set[str | None]) -> frozenset[str]:
    """Return those of `uuids` that are rows of events."""
    wanted = pl.DataFrame(
        {"_uuid": [one for one in uuids if one is not None]}, {"_uuid": pl.String}
    )
    if wanted.is_empty():
        return frozenset()
    found: set[str] = set()
    with reading(events):
        for batch in events.scan(selected_fields=("_uuid",)).to_arrow_batch_reader():
            rows = _frame(batch).select(pl.col("_uuid").cast(pl.String))
            found.update(rows.join(wanted, on="_uuid", how="semi").get_column("_uuid"))
    return frozenset(found)


def _coordinates(table: Table) -> pl.DataFrame:
    with reading(table):
        arrow = table.scan(selected_fields=("_topic_partition", "_offset")).to_arrow()
    return _frame(arrow).select("_topic_partition", "_offset")


def _frame(data: object) -> pl.DataFrame:
    frame = pl.from_arrow(data)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame
