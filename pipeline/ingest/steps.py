"""The steps of a micro-batch, made for one version of the contract: plan, process, commit, recover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline.contract.model import Product
from pipeline.ingest.commit.committer import Committer
from pipeline.ingest.commit.rows_writer import RowsWriter
from pipeline.ingest.context import IngestContext
from pipeline.ingest.failures.handler import FailureHandler
from pipeline.ingest.planner import Planner
from pipeline.ingest.process_batch import BatchProcessor
from pipeline.ingest.read.source import Source
from pipeline.ingest.transform.process import Processor
from pipeline.kafka.identity import TopicIdentity
from pipeline.schemas.open import open_registry
from pipeline.supervision.locks import confirm_lock, ingest_lock


class Steps:
    """What a session goes on by until its contract changes. Close its source when done.

    Attributes:
        subject: product/cell, for errors.
        prepared: what processes and commits, once a topic is known.
    """

    def __init__(
        self,
        context: IngestContext,
        product: Product,
        writer: RowsWriter,
        contract_changed: Callable[[], bool],
    ) -> None:
        self._context = context
        self._product = product
        self._writer = writer
        self._contract_changed = contract_changed
        self.subject = f"{product.name}/{context.cell.name}"
        self.source = Source(context.cell, product, context.stop)
        self.failures = FailureHandler(context, product.name)
        self.planner = Planner(context, product, self.source, self.failures.batches)
        self.prepared: Prepared | None = None

    def prepare(self, identity: TopicIdentity) -> Prepared:
        """Return what processes and commits, made for the topic that is given first.

        Raises:
            ReferenceDataError: reference data cannot be read.
        """
        if self.prepared is None:
            processor = Processor(
                self._product,
                open_registry(self._context.cell),
                identity,
                self._context.run_id,
                self._context.limits.uuid_bytes,
            )
            self.prepared = Prepared(
                processor,
                BatchProcessor(
                    self._context, self.source, processor, self._writer, self._contract_changed
                ),
                Committer(
                    self._product,
                    self.planner.tables,
                    self._writer,
                    processor.reference_versions,
                    self._context.run_id,
                    partial(confirm_lock, ingest_lock(self._context.cell, self._product.name)),
                ),
            )
        return self.prepared


@dataclass(frozen=True)
class Prepared:
    """The steps that need a topic."""

    processor: Processor
    batches: BatchProcessor
    committer: Committer
