"""One hour built by itself, as the executor of a plan would build it."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.context import HourContext
from pipeline.batch.hour import build_hour
from pipeline.batch.model import AuditFunction, Rejected, Source
from pipeline.batch.planning.stages import plan_stages
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Product
from pipeline.control.publications import Publication, PublicationLog


def hour_context(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    source: Source,
) -> HourContext:
    """Return the context of one hour, with the publications of now."""
    log = PublicationLog.read(cell, product.name)
    return HourContext(spark, cell, product, derived_table, hour, source, "run", log)


def build(context: HourContext, audit: AuditFunction) -> Publication | Rejected:
    """Build the hour by all of its stages."""
    return build_hour(context, plan_stages(context.product, context.derived_table), audit)
