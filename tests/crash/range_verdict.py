"""What is asked of hours after a build of them has died, and after one that lived."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from pipeline.batch.wap.publish import published_unrecorded
from pipeline.control.publications import PublicationLog, read_publications
from pipeline.tables.catalog import load_table
from tests.crash.range_model import BAD, NUMBERS, Tastes
from tests.crash.range_stage import RangeStage
from tests.support.lineage_whole import assert_lineage_whole
from tests.support.orders import hour
from tests.support.shop import Sales

SALES, HISTORY = "orders.sales", "orders.tastes_history"


def assert_nothing_half(stage: RangeStage) -> None:
    """Readers have all hours of a range as they were or all as they are to be, and are told no more."""
    before, after = stage.held, stage.wanted([BAD])
    sold, served = sales(stage), tastes(stage)
    assert sold in (before.sales, after.sales)
    assert served in (before.served, after.served)
    for (at, _), rows in history(stage).items():
        assert rows in (*stage.accepted[at], after.tastes.get(at)), at
    told = set(read_publications(stage.cell, stage.product.name)) - stage.recorded
    assert BAD not in {one.hour for one in told}
    assert sold == after.sales or SALES not in {one.table for one in told}
    assert served == after.served or HISTORY not in {one.table for one in told}


def assert_converged(stage: RangeStage, failing: Collection[datetime]) -> None:
    """Every hour is there once and told of as it is, but those of `failing`, which are as they were."""
    wanted = stage.wanted(failing)
    assert sales(stage) == wanted.sales
    assert tastes(stage) == wanted.served
    _assert_told(stage, failing)
    due = {(one.derived_table, one.hour) for one in stage.chain.plan(NUMBERS).builds}
    assert due == {(table, at) for table in ("sales", "tastes") for at in failing}
    assert_lineage_whole(stage.cell, stage.product)
    stage.settle(failing)


def _assert_told(stage: RangeStage, failing: Collection[datetime]) -> None:
    wanted, builds = stage.wanted(failing), history(stage)
    log = PublicationLog.read(stage.cell, stage.product.name)
    publications = read_publications(stage.cell, stage.product.name)
    keys = Counter((one.table, one.wap_id, one.hour) for one in publications)
    assert set(keys.values()) == {1}
    for at in set(map(hour, NUMBERS)) - set(failing):
        sold, taste = log.last[SALES, at], log.last[HISTORY, at]
        assert sold.rows == len(wanted.sales.get(at, []))
        assert sold.source_rows == stage.chain.orders.count(at)
        assert builds[at, taste.wap_id] == wanted.tastes[at]
    for name in (SALES, HISTORY):
        table = load_table(stage.cell, name)
        assert list(published_unrecorded(table, partial(log.has, name))) == []
        tags = {ref.split("-")[1] for ref in table.metadata.refs if ref != "main"}
        assert tags == {f"{at:%Y%m%dT%H}" for at in failing}, "what keeps stagings from expiry"


def sales(stage: RangeStage) -> dict[datetime, Sales]:
    """Return what readers see of each hour of `sales`."""
    found: defaultdict[datetime, Sales] = defaultdict(list)
    for row in stage.rows("sales"):
        found[row["hour"]].append((row["region"], row["orders"], row["amount"]))
    return {at: sorted(rows) for at, rows in found.items()}


def tastes(stage: RangeStage) -> set[tuple[Any, ...]]:
    """Return what readers of the feature see, each row once."""
    columns = ("region", "day", "orders", "amount", "hour")
    rows = [tuple(row[name] for name in columns) for row in stage.rows("tastes", "served")]
    assert len(set(rows)) == len(rows)
    return set(rows)


def history(stage: RangeStage) -> dict[tuple[datetime, str], Tastes]:
    """Return the rows of each build of each hour of the feature."""
    columns = ("region", "day", "orders", "amount")
    found: defaultdict[tuple[datetime, str], Tastes] = defaultdict(list)
    for row in stage.rows("tastes_history"):
        region, day, orders, amount = (row[name] for name in columns)
        found[row["hour"], row["build"]].append((region, day, orders, amount))
    return {key: sorted(rows) for key, rows in found.items()}
