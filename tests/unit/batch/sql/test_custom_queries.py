"""Which queries of a table's contract are counted of all hours at once: by what its hours read."""

from __future__ import annotations

import pytest

from pipeline.batch.sql.custom import custom_queries, has_custom_queries
from pipeline.contract.model import DerivedTable, Expectation, Read
from tests.support.orders import derived

TYPES = {name: {"region": "string", "n": "bigint"} for name in ("events", "sales", "raw", "zones")}
BATCH = TYPES["events"]


def table(*queries: str, reads: tuple[Read, ...] = (Read(table="events"),)) -> DerivedTable:
    asked = tuple(
        Expectation(type="unexpected_rows_expectation", kwargs={"unexpected_rows_query": one})
        for one in queries
    )
    found = derived("sales", "SELECT 1", expectations=asked, reads=reads)
    return found.model_copy(update={"references": ("zones",)})


@pytest.mark.parametrize(
    ("view", "reads"),
    [
        ("{batch}", [Read(table="raw", hours=3)]),
        ("events", [Read(table="events")]),
        ("events", [Read(table="raw", hours=168)]),
        ("raw", [Read(table="raw"), Read(table="events", hours=3)]),
        ("zones", [Read(table="events", hours=3)]),
    ],
)
def test_what_an_hour_reads_of_itself_is_read_of_all_hours(view: str, reads: list[Read]) -> None:
    (found,) = custom_queries(
        table(f"SELECT DISTINCT region FROM {view}", reads=tuple(reads)), TYPES, BATCH
    )
    assert found.of_range is not None
    assert found.reason == ""


@pytest.mark.parametrize(
    ("view", "reads"),
    [
        ("events", [Read(table="events", hours=3)]),
        ("events", [Read(table="events", back=1)]),
        ("raw", [Read(table="raw", hours=2)]),
        ("raw", [Read(table="raw"), Read(table="raw", back=2)]),
        ("sales", [Read(table="events"), Read(table="sales", back=1)]),
        ("previous", [Read(table="events")]),
        ("other", [Read(table="events")]),
    ],
)
def test_what_an_hour_reads_of_others_is_asked_of_it_alone(view: str, reads: list[Read]) -> None:
    (found,) = custom_queries(
        table(f"SELECT DISTINCT region FROM {view}", reads=tuple(reads)), TYPES, BATCH
    )
    assert found.of_range is None
    assert found.reason == f"it reads {view}, of which hours are not read together"


def test_a_condition_of_each_row_is_none_of_them() -> None:
    of_rows = table("SELECT * FROM {batch} WHERE n < 0")
    assert not has_custom_queries(of_rows)
    assert custom_queries(of_rows, TYPES, BATCH) == ()
    more = table("SELECT * FROM {batch} WHERE n < 0", "SELECT n FROM {batch} WHERE n < 0")
    assert [one.text for one in custom_queries(more, TYPES, BATCH)] == [
        "SELECT n FROM {batch} WHERE n < 0"
    ]


def test_a_query_without_words_of_the_contract_is_named_by_how_it_begins() -> None:
    (one,) = custom_queries(table(f"SELECT\n{' n,' * 50} 1 FROM events"), TYPES, BATCH)
    assert one.name.startswith("`SELECT n, n,")
    assert len(one.name) < 70
