"""The stages of an hour: planned from its contract, and executed as planned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import SparkSession

from pipeline.batch.context import RangeContext
from pipeline.batch.execute_stages import StageExecutor
from pipeline.batch.model import Source
from pipeline.batch.planning.stages import (
    Audit,
    DeriveFeatures,
    Publish,
    Record,
    Release,
    Stage,
    plan_recovery,
    plan_stages,
)
from pipeline.cells import embedded_cell
from pipeline.contract.model import DerivedTable
from pipeline.control.publications import PublicationLog
from pipeline.supervision.heartbeat import Pulse, batch_heartbeat_file, read_heartbeat
from tests.support.derivations import chained_product
from tests.support.orders import hour

PRODUCT = chained_product(Path("contracts"))
SALES, STREAKS, TASTES = PRODUCT.derived_tables


def test_an_hour_is_staged_audited_published_and_recorded_in_this_order() -> None:
    assert plan_stages(PRODUCT, STREAKS) == (
        Stage("orders.streaks", "python", ("events", "streaks")),
        Audit("orders.streaks", 0),
        Publish("orders.streaks"),
        Release("orders.streaks"),
        Record("orders.publications"),
    )


def test_a_feature_table_is_derived_from_its_history_once_that_is_published() -> None:
    history = "orders.tastes_history"
    assert plan_stages(PRODUCT, TASTES)[2:] == (
        Publish(history),
        DeriveFeatures("orders.tastes", history),
        Release(history),
        Record("orders.publications"),
    )


@pytest.mark.parametrize("table", [SALES, TASTES], ids=lambda table: table.name)
def test_what_recovers_an_hour_is_what_follows_its_publishing(table: DerivedTable) -> None:
    stages, left = plan_stages(PRODUCT, table), plan_recovery(PRODUCT, table)
    (published,) = (n for n, stage in enumerate(stages) if isinstance(stage, Publish))
    assert stages[published + 1 :] == left


def test_who_watches_is_told_which_stage_of_which_hour_is_at_work(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    path = batch_heartbeat_file(context.cell, PRODUCT.name)
    told = replace(context, pulse=Pulse(path, "run", lambda: hour(9)))
    with pytest.raises(ValueError, match="nothing is staged"):
        StageExecutor(told).execute(plan_stages(PRODUCT, SALES)[1:])
    beat = read_heartbeat(path)
    assert beat is not None
    assert (beat.run_id, beat.doing) == ("run", f"audit {SALES.name} 2026-01-01T01")


def test_stages_that_lack_what_they_need_are_refused(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    with pytest.raises(ValueError, match="nothing is staged to publish"):
        StageExecutor(context).execute(plan_stages(PRODUCT, SALES)[2:])
    with pytest.raises(ValueError, match="end before the hours are done"):
        StageExecutor(context).execute(())


def context_of(tmp_path: Path) -> RangeContext:
    return RangeContext(
        cast("SparkSession", None),
        embedded_cell(tmp_path, "us", "127.0.0.1:9"),
        PRODUCT,
        SALES,
        {hour(1): Source(77, 5)},
        "run",
        PublicationLog(),
    )
