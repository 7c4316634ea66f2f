"""Building one hour of one derived table: write, audit, publish, record; in that order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.feature_table.derive import derive_feature_table
from pipeline.batch.lineage import hour_completed, hour_failed, hour_started
from pipeline.batch.model import Audit, Rejected, Source, Staged, Verdict
from pipeline.batch.wap.audit_frame import audited_frame
from pipeline.batch.wap.digest import EMPTY, digests
from pipeline.batch.wap.publish import publish, published_unrecorded
from pipeline.batch.wap.stage import stage_hour, staged_frame
from pipeline.batch.wap.tags import release
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.alerts import Alert, AlertKind, raise_alert
from pipeline.control.publications import Publication, read_publications, record
from pipeline.errors import HeadwaterError
from pipeline.failpoints import failpoint
from pipeline.lineage.emitter import Emitter
from pipeline.spark.session import own_session
from pipeline.tables.catalog import TableMissingError, load_table

STAGINGS = 3
"""How often an hour is staged before a main that keeps changing wins."""


def build_hour(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    audit: Audit,
    *,
    source: Source,
    run_id: str,
    clock: Clock = utc_now,
) -> Publication | Rejected:
    """Publish an hour computed from pinned inputs, if its audit passes.

    Does not ask whether the hour is closed or the books balance: `plan_hours` does. `audit` is not
    asked about an hour without rows, which makes no snapshot and is recorded with 0 rows. An hour of
    a feature table is published in its history, and then the table is derived from that.

    A failed audit leaves main as it was, the staging (tagged) for inspection until the hour is staged
    again, and a row in `alerts`. Ended at any point, main has the hour whole or as it was; the same
    call again converges: a staging that was published and not recorded is recorded, and it is the
    result if it was computed from the same inputs. The hour's OpenLineage events go to the run's file.

    Raises, with main as it was:
        StagingOutdatedError: the hour kept changing on main.
        Whatever `stage_hour`, `publish`, `derive_feature_table`, `record`, `raise_alert` and `audit` raise.
    """
    build = _Build(spark, cell, product, derived_table, hour, source, run_id, clock)
    emitter = Emitter(cell, run_id)
    emitter.emit(
        hour_started(cell, product, derived_table, hour, source.snapshot_id, run_id, clock())
    )
    try:
        outcome = build.outcome(audit)
    except BaseException as error:
        # Whatever ended it; what an error without a name says may quote rows.
        why = str(error) if isinstance(error, HeadwaterError) else type(error).__name__
        emitter.emit(hour_failed(cell, product, derived_table, hour, run_id, clock(), why))
        raise
    if isinstance(outcome, Rejected):
        why = "the audit failed"
        emitter.emit(hour_failed(cell, product, derived_table, hour, run_id, clock(), why))
    else:
        schema = load_table(cell, outcome.table).schema()
        emitter.emit(hour_completed(cell, product, derived_table, outcome, schema, run_id))
    return outcome


def record_unrecorded(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    clock: Clock = utc_now,
) -> Publication | None:
    """Record what a process published of an hour and did not live to record; return the last one.

    Idempotent. Only passed audits are published, so all expectations count as met.
    """
    try:
        table = load_table(cell, published_table(product, derived_table))
    except TableMissingError:
        return None
    recorded = {publication.wap_id for publication in read_publications(cell, product.name, hour)}
    recovered = None
    for staged, snapshot_id in published_unrecorded(table, recorded, hour):
        recovered = _settle(
            spark, cell, product, derived_table, staged, snapshot_id, staged.expectations, clock
        )
    return recovered


@dataclass(frozen=True)
class _Build:
    spark: SparkSession
    cell: Cell
    product: Product
    derived_table: DerivedTable
    hour: datetime
    source: Source
    run_id: str
    clock: Clock

    def outcome(self, audit: Audit) -> Publication | Rejected:
        where = (self.spark, self.cell, self.product, self.derived_table)
        recovered = record_unrecorded(*where, self.hour, self.clock)
        if recovered is not None and self._is_of_same(recovered):
            return recovered
        attempt = 0
        while True:
            attempt += 1
            staged = stage_hour(*where, self.hour, self.source, run_id=self.run_id)
            met = 0
            if staged.snapshot_id is not None:
                verdict = audit(audited_frame(*where, staged))
                failpoint("hour.after_audit")
                if not verdict.passed:
                    self._alert(staged, verdict)
                    return Rejected(staged, verdict)
                met = verdict.met
            try:
                snapshot_id = publish(self.spark, self.cell, staged)
            except StagingOutdatedError:
                if attempt == STAGINGS:
                    raise
                continue
            failpoint("hour.after_publish")
            return _settle(*where, staged, snapshot_id, met, self.clock)

    def _is_of_same(self, recovered: Publication) -> bool:
        return (recovered.source_snapshot_id, recovered.inputs) == (
            self.source.snapshot_id,
            self.source.inputs,
        )

    def _alert(self, staged: Staged, verdict: Verdict) -> None:
        alert = Alert(
            at=self.clock(),
            table=staged.table,
            hour=staged.hour,
            kind=AlertKind.AUDIT_FAILED,
            detail="; ".join(verdict.reasons) or "the audit failed",
            run_id=self.run_id,
            wap_id=staged.wap_id,
        )
        raise_alert(self.cell, self.product.name, alert)


def _settle(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    staged: Staged,
    published_snapshot_id: int | None,
    met: int,
    clock: Clock,
) -> Publication:
    if derived_table.feature is not None:
        derive_feature_table(spark, cell, product, derived_table, derived_table.feature, staged)
    digest, handover = EMPTY, EMPTY
    if staged.snapshot_id is not None:
        rows = staged_frame(own_session(spark, cell), cell, staged)
        digest, handover = digests(rows, derived_table.handover)
    # In this order nothing stays tagged for ever: an hour without its record is built again.
    release(cell, staged.table, staged.hour)
    failpoint("hour.after_release")
    publication = staged.publication(
        clock(), published_snapshot_id, met=met, digest=digest, handover=handover
    )
    record(cell, product.name, publication)
    failpoint("hour.after_record")
    return publication
