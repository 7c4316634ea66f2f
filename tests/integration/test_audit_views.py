"""What the queries of an audit may read beside the staged rows: the table's inputs, and the hour before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.execute import execute
from pipeline.batch.model import Rejected
from pipeline.batch.wap.audit_frame import AuditFunction, StagedRows, views_needed
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Expectation
from pipeline.control.publications import Publication
from quality.audit import audit
from quality.audit_hours import audit_hours
from tests.support.derivations import Chain, chained_product
from tests.support.hour_builds import Judge
from tests.support.orders import hour

Regions = list[str]


def query(sql: str) -> Expectation:
    return Expectation(type="unexpected_rows_expectation", kwargs={"unexpected_rows_query": sql})


@pytest.fixture
def chain(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Chain:
    product = chained_product(tmp_path)
    tables = tuple(one for one in product.derived_tables if one.name != "sales")
    chain = Chain(spark, quiet_cell, product.model_copy(update={"derived_tables": tables}))
    chain.orders.append([(hour(1), "north", 3), (hour(1), "north", 4), (hour(1), "south", 5)])
    chain.orders.append([(hour(3), "north", 7), (hour(3), "east", 1)])
    return chain


def expect(chain: Chain, table: str, *queries: str) -> None:
    chain.product = chain.product.model_copy(
        update={
            "derived_tables": tuple(
                one.model_copy(update={"expectations": tuple(map(query, queries))})
                if one.name == table
                else one
                for one in chain.product.derived_tables
            )
        }
    )


def views(chain: Chain, of: str, closed: list[int]) -> dict[int, dict[str, Regions]]:
    """Build, and return which views the audit of each hour of a table had, with their regions.

    The other tables' expectations mention none.
    """
    seen: dict[int, dict[str, Regions]] = {}

    def auditor(table: DerivedTable, at: Any) -> Judge:
        def look(frame: DataFrame) -> Any:
            session = frame.sparkSession
            temporary = [one.name for one in session.catalog.listTables() if one.isTemporary]
            if table.name != of:
                assert temporary == []
            else:
                seen[at.hour] = {
                    name: sorted(row["region"] for row in session.table(name).collect())
                    for name in temporary
                }
                if "previous" in seen[at.hour]:
                    assert session.table("previous").columns == frame.columns
            return audit(frame, table.model_copy(update={"expectations": ()}))

        return look

    chain.build(closed, auditor)
    return seen


def test_a_query_reads_the_inputs_as_the_build_did_and_the_last_build_of_the_hour_before(
    chain: Chain,
) -> None:
    expect(
        chain,
        "tastes",
        "SELECT * FROM {batch} JOIN streaks USING (region) WHERE false",
        "SELECT region FROM events EXCEPT SELECT region FROM Previous WHERE false",
    )
    assert views(chain, "tastes", [1]) == {
        1: {"streaks": ["north", "south"], "events": ["north", "north", "south"], "previous": []}
    }
    chain.orders.append([(hour(1), "west", 1)])
    assert views(chain, "tastes", [1, 3])[3] == {
        "streaks": ["east", "north", "north", "south", "west"],
        "events": ["east", "north"],
        "previous": ["north", "south", "west"],
    }


def test_a_query_over_events_decides_whether_an_hour_is_published(chain: Chain) -> None:
    missing = "SELECT region FROM events LEFT ANTI JOIN {batch} USING (region)"
    expect(chain, "tastes", missing, "SELECT region FROM previous WHERE region = 'south'")

    def auditor(table: DerivedTable, _hour: Any) -> Judge:
        return lambda frame: audit(frame, table)

    outcomes = {
        done.build.hour.hour: done.outcome
        for done in chain.build([1, 3], auditor)
        if done.build.derived_table == "tastes"
    }
    assert isinstance(outcomes[1], Publication)
    assert outcomes[1].expectations == 2
    assert isinstance(outcomes[3], Rejected), "the hour before has the south"


def test_a_range_is_held_to_queries_over_the_events_of_all_its_hours(
    chain: Chain, tmp_path: Path
) -> None:
    missing = "SELECT e.region FROM events AS e LEFT ANTI JOIN {batch} AS b ON e.region = b.region"
    all_tables = chained_product(tmp_path).derived_tables
    chain.product = chain.product.model_copy(update={"derived_tables": all_tables[:1]})
    expect(chain, "sales", missing, "SELECT 1 FROM events HAVING count(*) > 2")
    seen: list[tuple[list[int], Regions]] = []

    def auditor(table: DerivedTable) -> AuditFunction:
        def judge(rows: StagedRows) -> Any:
            session = rows.context.session()
            assert set(rows.inputs_together(session)) == {"events"}
            regions = sorted(row["region"] for row in session.table("events").collect())
            seen.append(([at.hour for at in rows.hours], regions))
            return audit_hours(rows, table)

        return judge

    plan = chain.plan([1, 3])
    built = execute(chain.spark, chain.cell, chain.product, plan, auditor, run_id="run")
    outcomes = {one.build.hour.hour: one.outcome for one in built}
    assert seen == [([1, 3], ["east", "north", "north", "north", "south"])]
    assert isinstance(outcomes[1], Rejected), "it has three events"
    assert isinstance(outcomes[3], Publication)


def test_only_what_a_query_mentions_is_prepared(tmp_path: Path) -> None:
    tastes = chained_product(tmp_path).derived_tables[-1]

    def needed(sql: str) -> set[str]:
        return set(views_needed(tastes.model_copy(update={"expectations": (query(sql),)})))

    assert needed("SELECT * FROM {batch}") == set()
    assert needed("SELECT * FROM {batch} ANTI JOIN EVENTS") == {"events"}
    assert needed("SELECT previous_events FROM streaks") == {"streaks"}
