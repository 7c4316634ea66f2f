"""Inputs that went wrong once (tests/data/cases), in what is built by the hour."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from headwater.produce.file import produce_file
from pipeline.batch.execute import execute
from pipeline.batch.planning.plan import plan_hours
from pipeline.batch.planning.read_inputs import read_plan_inputs
from pipeline.cells import Cell
from pipeline.features.serving import read_served
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from tests.support.derivations import accept
from tests.support.hour_builds import each_alone
from tests.support.products import own_product

CASES = Path(__file__).parent.parent / "data" / "cases"
AT = datetime(2026, 6, 1, 10, tzinfo=UTC)


def later() -> datetime:
    return datetime(2026, 7, 1, tzinfo=UTC)


def test_rows_whose_partition_is_null_are_in_the_feature_table(
    cell: Cell, tmp_path: Path, spark: SparkSession
) -> None:
    case = CASES / "null_partition"
    product = own_product("nullpart", tmp_path / "contracts", case / "only")
    produce_file(cell, product, str(case / "rows.jsonl"))
    ingest(cell, product, once=True)
    assert verify_ledger(cell, product).balanced
    inputs = read_plan_inputs(cell, product, hours=[AT], clock=later)
    plan = plan_hours(product, inputs, hours=[AT])
    audit = each_alone(lambda _hour: accept)
    list(execute(spark, cell, product, plan, lambda _table: audit, run_id="run"))

    wanted = {("a", "us", 1), ("b", None, 1), ("c", None, 1)}
    served, _ = read_served(cell, product, "id_counts")
    assert set(served.select("id", "region", "n").rows()) == wanted
    history = load_table(cell, "nullpart.id_counts_history").scan().to_arrow().to_pylist()
    assert {(row["id"], row["region"], row["n"]) for row in history} == wanted
