"""Planning a micro-batch: what the tables and the topic say now, given to the pure planner."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ingest.commit.tables import IngestTables
from pipeline.ingest.context import IngestContext
from pipeline.ingest.failures.failed_batch import FailedBatches
from pipeline.ingest.model import PlannedBatch
from pipeline.ingest.plan import plan
from pipeline.ingest.read.source import Source
from pipeline.ingest.transform.held_back import HeldBackPartitions
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.quarantines import Quarantine, read_quarantines
from pipeline.tables.snapshots import check_not_rolled_back


class Planner:
    """Plans the micro-batches of one version of a contract.

    Attributes:
        held_back: the partitions that wait for the contract; no plan goes beyond them.
    """

    def __init__(
        self, context: IngestContext, product: Product, source: Source, failed: FailedBatches
    ) -> None:
        self._context = context
        self._product = product
        self._source = source
        self._failed = failed
        self._quarantines: tuple[Quarantine, ...] = ()
        self.held_back = HeldBackPartitions()

    @cached_property
    def tables(self) -> IngestTables:
        """The tables that the contract asks for.

        Raises:
            ReferenceDataError: reference data cannot be read.
        """
        return IngestTables(self._context.cell, self._product)

    def plan(self, targets: Mapping[int, int] | None) -> PlannedBatch:
        """Load the tables, look at the topic, and plan the next micro-batch, not beyond `targets`.

        Raises: as `IngestTables.load`, `check_not_rolled_back`, `Source.topic_state` and `plan`.
        """
        tables = self.tables.load()
        for table in tables:
            check_not_rolled_back(table)
        committed = committed_offsets(tables.events)
        topic = self._source.topic_state(is_new=committed is None)
        if (quarantines := read_quarantines(tables.dead_letters)) != self._quarantines:
            # What waits for the contract may be set aside now.
            self._quarantines = quarantines
            self.held_back.forget()
        planned = plan(
            f"{self._product.name}/{self._context.cell.name}",
            topic,
            committed,
            committed_offsets(tables.dead_letters),
            self._context.limits,
            self.held_back.capped(targets or topic.stable, committed.next if committed else {}),
        )
        failpoint("ingest.planned")
        return PlannedBatch(self._failed.limit(planned), tables, topic, committed is not None)
