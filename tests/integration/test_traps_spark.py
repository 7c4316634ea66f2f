"""A disk that is full below Spark: told by name, and nothing is published of the hour."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.model import Source
from pipeline.cells import Cell
from pipeline.control.publications import Publication, read_publications
from pipeline.disk import DiskFullError
from pipeline.tables.catalog import load_table
from tests.support.hour_builds import build, hour_context
from tests.support.orders import Orders, derived, hour, orders_product

ROWS = 20_000
LIMIT = 200_000
"""Bytes: less than the hour takes, and more than the catalog."""
WIDE = f"""
    SELECT region, n, sha2(concat(region, CAST(n AS STRING)), 256) AS text
    FROM (SELECT region, explode(sequence(1, {ROWS})) AS n FROM events)
"""


class Accepted:
    passed, met, reasons, results = True, 0, (), ()


def accept(_frame: DataFrame) -> Accepted:
    return Accepted()


@contextmanager
def files_of_at_most(size: int, spark: SparkSession) -> Iterator[None]:
    """Let Spark's process write no file beyond `size` bytes, as on a disk that is full."""
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    pid = int(jvm.java.lang.ProcessHandle.current().pid())
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_is_named_and_the_next_build_publishes_the_hour(
    spark: SparkSession, quiet_cell: Cell, tmp_path: Path
) -> None:
    orders, wide = Orders(quiet_cell), derived("wide", WIDE)
    product = orders_product(tmp_path, wide)
    source = Source(orders.append([(hour(0), "eu", 1), (hour(1), "eu", 1)]), 1)
    before, context = (
        hour_context(spark, quiet_cell, product, wide, hour(number), source) for number in (0, 1)
    )
    # Drivers and codecs are unpacked at their first use, which is another matter.
    assert isinstance(build(before, accept), Publication)
    main = load_table(quiet_cell, "orders.wide").metadata.current_snapshot_id
    with files_of_at_most(LIMIT, spark), pytest.raises(DiskFullError) as full:
        build(context, accept)
    assert quiet_cell.warehouse in str(full.value)
    assert "bytes free" in str(full.value)
    assert load_table(quiet_cell, "orders.wide").metadata.current_snapshot_id == main
    assert [one.hour for one in read_publications(quiet_cell, "orders")] == [hour(0)]

    assert isinstance(build(context, accept), Publication)
    assert load_table(quiet_cell, "orders.wide").scan().to_arrow().num_rows == 2 * ROWS
