"""What an audit holds an hour to beyond its own rows, and what it shows of what it found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.cells import Cell
from pipeline.contract.model import Column, DerivedTable, Drift, Expectation, Feature
from quality import data_docs
from quality.audit import AuditResult, audit
from quality.data_docs import Audited
from tests.support.orders import derived, hour

SECRETS = [f"secret-{n}" for n in range(600)]
COLUMNS = (Column(name="user_id", classification="pii"), Column(name="amount"), Column(name="kind"))
SCHEMA = "hour timestamp, build string, user_id string, amount double, kind string"


def expecting(
    *expectations: tuple[str, dict[str, object]], drift: Iterable[Drift] = ()
) -> DerivedTable:
    return derived(
        "tastes",
        "SELECT 1",
        expectations=tuple(
            Expectation(type=type_, kwargs=kwargs) for type_, kwargs in expectations
        ),
        columns=COLUMNS,
        feature=Feature(entity=("user_id",), ttl_s=60, partitions=("kind",), drift=tuple(drift)),
    )


def query(sql: str) -> tuple[str, dict[str, object]]:
    return "unexpected_rows_expectation", {"unexpected_rows_query": sql}


def rows(session: SparkSession, of: int, scale: float = 1.0, kinds: str = "ab") -> DataFrame:
    """An hour: amounts from 0 to `scale` evenly, every fifth row's unknown."""
    listed = [
        (hour(of), "b", user, scale * n / len(SECRETS) if n % 5 else None, kinds[n % len(kinds)])
        for n, user in enumerate(SECRETS)
    ]
    return session.createDataFrame(listed, SCHEMA)


def found(result: AuditResult, column: str) -> tuple[bool, str]:
    (one,) = (one for one in result.results if one.column == column and "divergence" in one.type)
    return one.success, one.observed


def test_hours_audited_at_once_each_see_their_own_rows_and_views(spark: SparkSession) -> None:
    gone = query("SELECT user_id FROM events e LEFT ANTI JOIN {batch} b USING (user_id)")

    def lacking(many: int) -> AuditResult:
        session = spark.newSession()
        frame = rows(session, 2)
        frame.createOrReplaceTempView("events")
        return audit(frame.limit(len(SECRETS) - many), expecting(gone))

    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lacking, (0, 1, 7)))
    assert [result.results[-1].observed for result in results] == ["0", "1", "7"]
    assert [result.passed for result in results] == [True, False, False]
    assert "tmp_view" not in [one.name for one in spark.catalog.listTables()]


def test_drift_is_told_from_the_hour_before(spark: SparkSession) -> None:
    session = spark.newSession()
    rows(session, 1).createOrReplaceTempView("previous")
    table = expecting(drift=[Drift(column="amount", most=0.1), Drift(column="kind", most=0.1)])
    same = audit(rows(session, 2, 1.05), table)
    assert same.passed
    moved = audit(rows(session, 2, 3.0, "abc"), table)
    assert [found(moved, column)[0] for column in ("amount", "kind")] == [False, False]
    amount, kind = moved.distributions
    assert (amount.hour, amount.most) == (hour(1).replace(tzinfo=None), 0.1)
    assert amount.divergence is not None
    assert 0.1 < amount.divergence < 5
    assert len(amount.bins) == len(amount.now) == len(amount.before) == 4
    assert sum(amount.now) == pytest.approx(1)
    assert set(kind.bins) == {"a", "b", "c"}


def test_without_an_hour_before_there_is_nothing_to_compare(spark: SparkSession) -> None:
    session = spark.newSession()
    frame = rows(session, 2)
    frame.where("false").createOrReplaceTempView("previous")
    table = expecting(drift=[Drift(column="amount", most=0.1), Drift(column="kind", most=0.1)])
    result = audit(frame, table)
    assert result.passed
    assert result.met == len(result.results) == 3
    assert found(result, "amount") == (True, "no hour before it is published: nothing to compare")
    assert [(one.column, one.before) for one in result.distributions] == [
        ("amount", ()),
        ("kind", ()),
    ]


def test_few_rows_are_not_compared(spark: SparkSession) -> None:
    session = spark.newSession()
    rows(session, 1).limit(60).createOrReplaceTempView("previous")
    result = audit(rows(session, 2, 9.0), expecting(drift=[Drift(column="amount", most=0.1)]))
    assert result.passed
    assert "too few to compare" in found(result, "amount")[1]


def test_columns_are_those_of_the_contract_and_no_other(spark: SparkSession) -> None:
    frame = rows(spark.newSession(), 2)
    assert audit(frame, expecting()).passed
    for wrong in (frame.drop("kind"), frame.withColumn("copy", frame["user_id"])):
        (failed,) = audit(wrong, expecting()).failed
        assert failed.type == "expect_table_columns_to_match_set"


def test_no_account_is_named_in_a_report(spark: SparkSession, quiet_cell: Cell) -> None:
    session = spark.newSession()
    frame = rows(session, 2)
    frame.createOrReplaceTempView("events")
    table = expecting(
        ("expect_column_value_lengths_to_be_between", {"column": "user_id", "min_value": 99}),
        ("expect_column_values_to_be_unique", {"column": "kind"}),
        ("expect_column_distinct_values_to_be_in_set", {"column": "user_id", "value_set": ["x"]}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["user_id", "build"]}),
        query("SELECT user_id FROM {batch}"),
        query("SELECT 1 AS one FROM events e JOIN {batch} b ON CAST(e.user_id AS INT) > b.amount"),
        query("SELECT raise_error(user_id) AS number FROM {batch}"),
        query("SELECT nothing FROM {batch}"),
    )
    result = audit(frame, table)
    assert len(result.failed) >= 7
    told = "\n".join(f"{one}" for one in result.results)
    assert "nothing" in told, "an error that reads no row is told in full"
    pages = data_docs.publish(quiet_cell, "orders", [Audited(table, hour(2), result)], "run-1")
    told += "\n".join(result.reasons)
    for file in (p for p in quiet_cell.root.rglob("*") if p.is_file()):
        told += file.read_text(errors="replace")
    assert re.findall(r"secret-\d", told) == []
    page = data_docs.site(quiet_cell) / pages["tastes", hour(2)].validation
    assert "600" in page.read_text(), "how many rows broke it is told"


def test_data_docs_keep_the_newest_validations_of_each_table(
    spark: SparkSession, quiet_cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = spark.newSession()
    frame = rows(session, 2)
    rows(session, 1).createOrReplaceTempView("previous")
    table = expecting(drift=[Drift(column="amount", most=0.1)])
    result = audit(frame, table)
    monkeypatch.setattr(data_docs, "KEPT", 2)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    pages: dict[tuple[str, datetime], data_docs.Page] = {}
    for n in range(1, 4):
        pages |= data_docs.publish(
            quiet_cell,
            "orders",
            [Audited(table, hour(n), result)],
            f"run-{n}",
            lambda n=n: now + timedelta(minutes=n),  # type: ignore[misc]
        )
        data_docs.index(quiet_cell, f"run-{n}")
    site = data_docs.site(quiet_cell)
    there = [(site / pages["tastes", hour(n)].validation).exists() for n in range(1, 4)]
    assert there == [False, True, True]
    drawn = sorted(path.name for path in (site / "pictures").rglob("*.svg"))
    assert drawn == ["2026-01-01T02.svg", "2026-01-01T03.svg"]
    index = (site / "index.html").read_text()
    assert "run-3" in index
    assert "run-1" not in index
    picture = (site / "pictures" / "orders.tastes" / "2026-01-01T03.svg").read_text()
    assert re.search(
        r"amount: moved by 0\.\d{3} nats since 2026-01-01 01:00 \(at most 0\.1\)", picture
    )
