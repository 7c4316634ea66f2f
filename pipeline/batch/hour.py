"""Building one hour of one aggregate: write, audit, publish, record; in that order."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.model import Audit, Publication, Rejected, Staged
from pipeline.batch.publications import read_publications, record
from pipeline.batch.publish import publish, published_as
from pipeline.batch.session import own_session
from pipeline.batch.stage import stage_hour, staged_frame, stagings
from pipeline.batch.tags import release
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Aggregate, Product
from pipeline.errors import HeadwaterError
from pipeline.failpoints import failpoint
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.hour_events import hour_completed, hour_failed, hour_started
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import aggregate_table

STAGINGS = 3
"""How often an hour is staged before a main that keeps changing wins."""


def build_hour(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    aggregate: Aggregate,
    hour: datetime,
    audit: Audit,
    *,
    source_snapshot_id: int,
    run_id: str,
    clock: Clock = utc_now,
) -> Publication | Rejected:
    """Publish an hour computed from a snapshot of events, if its audit passes.

    Does not ask whether the hour is closed or the books balance: `plan_hours` does. `audit` is not
    asked about an hour without rows, which makes no snapshot and is recorded with 0 rows.

    A failed audit leaves main as it was, and the staging (tagged) for inspection until the hour is
    staged again. Ended at any point, main has the hour whole or as it was; the same call again
    converges: a staging that was published and not recorded is recorded, and it is the result if it
    was computed from the same snapshot. The hour's OpenLineage events go to the run's file.

    Raises, with main as it was:
        StagingOutdatedError: the hour kept changing on main.
        Whatever `stage_hour`, `publish`, `record` and `audit` raise.
    """
    emitter = Emitter(cell, run_id)
    emitter.emit(hour_started(cell, product, aggregate, hour, source_snapshot_id, run_id, clock()))
    try:
        outcome = _build(
            spark, cell, product, aggregate, hour, audit, source_snapshot_id, run_id, clock
        )
    except HeadwaterError as error:
        emitter.emit(hour_failed(cell, product, aggregate, hour, run_id, clock(), str(error)))
        raise
    if isinstance(outcome, Rejected):
        why = "the audit failed"
        emitter.emit(hour_failed(cell, product, aggregate, hour, run_id, clock(), why))
    else:
        schema = load_table(cell, outcome.table).schema()
        emitter.emit(hour_completed(cell, product, aggregate, outcome, schema, run_id))
    return outcome


def _build(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    aggregate: Aggregate,
    hour: datetime,
    audit: Audit,
    source_snapshot_id: int,
    run_id: str,
    clock: Clock,
) -> Publication | Rejected:
    recovered = record_unrecorded(cell, product, aggregate, hour, clock)
    if recovered is not None and recovered.source_snapshot_id == source_snapshot_id:
        return recovered
    attempt = 0
    while True:
        attempt += 1
        staged = stage_hour(
            spark, cell, product, aggregate, hour, source_snapshot_id, run_id=run_id
        )
        met = 0
        if staged.snapshot_id is not None:
            verdict = audit(staged_frame(own_session(spark, cell), cell, staged))
            failpoint("hour.after_audit")
            if not verdict.passed:
                return Rejected(staged, verdict)
            met = verdict.met
        try:
            published_snapshot_id = publish(spark, cell, staged)
        except StagingOutdatedError:
            if attempt == STAGINGS:
                raise
            continue
        failpoint("hour.after_publish")
        publication = _publication(staged, published_snapshot_id, met, clock)
        _settle(cell, product, publication)
        return publication


def record_unrecorded(
    cell: Cell, product: Product, aggregate: Aggregate, hour: datetime, clock: Clock = utc_now
) -> Publication | None:
    """Record what a process published of an hour and did not live to record; return the last one.

    Idempotent. Only passed audits are published, so all expectations count as met.
    """
    identifier = aggregate_table(product.name, aggregate.name)
    try:
        table = load_table(cell, identifier)
    except TableMissingError:
        return None
    recorded = {publication.wap_id for publication in read_publications(cell, product.name, hour)}
    recovered = None
    for staged in stagings(table):
        if staged.hour != hour or staged.wap_id in recorded:
            continue
        published_snapshot_id = published_as(table, staged.wap_id)
        if published_snapshot_id is not None:
            recovered = _publication(staged, published_snapshot_id, staged.expectations, clock)
            _settle(cell, product, recovered)
    return recovered


def _settle(cell: Cell, product: Product, publication: Publication) -> None:
    # In this order nothing stays tagged for ever: an hour without its record is built again.
    release(cell, publication.table, publication.hour)
    failpoint("hour.after_release")
    record(cell, product.name, publication)
    failpoint("hour.after_record")


def _publication(
    staged: Staged, published_snapshot_id: int | None, met: int, clock: Clock
) -> Publication:
    return Publication(
        table=staged.table,
        hour=staged.hour,
        published_at=clock(),
        source_snapshot_id=staged.source_snapshot_id,
        staged_snapshot_id=staged.snapshot_id,
        published_snapshot_id=published_snapshot_id,
        wap_id=staged.wap_id,
        rows=staged.rows,
        contract_version=staged.contract_version,
        run_id=staged.run_id,
        expectations=met,
    )
