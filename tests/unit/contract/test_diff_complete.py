"""No field of a contract changes unseen: each is changed in turn, and the change must be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from pipeline.contract.diff import diff_products
from pipeline.contract.model import (
    Column,
    DerivedTable,
    Drift,
    Expectation,
    Feature,
    Gates,
    LatePolicy,
    Logic,
    Model,
    Product,
    Read,
    Reference,
    Rule,
    Slo,
    Topic,
)

COLUMN = Column(
    name="id", description="Whose.", classification="pii", tags=("a",), sources=("b.c",)
)
SCHEMA = {"type": "record", "name": "p", "fields": [{"name": "id", "type": "string"}]}
TABLE = DerivedTable(
    name="hourly",
    description="By hour.",
    logic=Logic(language="sql", text="SELECT 1", file=Path("logic.sql")),
    reads=(Read(table="events", hours=2, back=1),),
    references=("prices",),
    handover="id IS NOT NULL",
    feature=Feature(
        entity=("id",), ttl_s=60.0, partitions=("id",), drift=(Drift(column="id", most=0.5),)
    ),
    late=LatePolicy(share=0.5, wait_s=60.0),
    columns=(COLUMN,),
    expectations=(Expectation(type="expect_a", kwargs={"column": "id"}, description="It is."),),
    owner="me",
    domain="shop",
    version="1.0.0",
    folder=Path("contracts/hourly"),
)
PRODUCT = Product(
    name="orders",
    version="1.0.0",
    owner="me",
    domain="shop",
    description="Orders.",
    cells=("us",),
    topic=Topic(name="orders", start=datetime(2026, 1, 1, tzinfo=UTC)),
    key="id",
    event_time="id",
    uuid="id",
    envelope_schema=SCHEMA,
    payload_schemas=(SCHEMA, {**SCHEMA, "doc": "The second."}),
    proto=("message Order {}",),
    columns=(COLUMN,),
    gates=Gates(late_s=3600.0),
    rules=(Rule(column="id", check="in_range", arguments={"min_value": 1}, description="Large."),),
    references=(
        Reference(
            name="prices",
            source="file:prices.csv",
            on=("id",),
            columns=("price",),
            valid_from="since",
            types={"price": "double"},
        ),
    ),
    derived_tables=(TABLE,),
    slos=(Slo(property="freshness", value=60.0, unit="s", element="hourly", description="Soon."),),
    dead_letter_topic="orders-dead-letters",
    first_hour=datetime(2026, 1, 1, tzinfo=UTC),
    folder=Path("contracts/orders"),
)
"""A contract that says something of everything that a contract may say."""
PLACES = {"folder", "derived_tables.folder", "derived_tables.logic.file"}
"""Where a contract's files lie, which is no part of what it says."""


def changed(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) with one thing in `value` changed, for each that there is."""
    match value:
        case Model():
            for name, field in type(value).model_fields.items():
                place = f"{path}.{name}" if path else name
                others = list(changed(getattr(value, name), place))
                if type(None) in get_args(field.annotation):
                    others.append((place, None))
                for inside, other in others:
                    yield inside, value.model_copy(update={name: other})
        case (first, *rest):
            for inside, other in changed(first, path):
                yield inside, (other, *rest)
            yield path, tuple(rest)
        case bool():
            yield path, not value
        case int() | float():
            yield path, value * 2
        case str():
            yield path, f"{value}x"
        case dict():
            yield path, {**value, "doc": "x"}
        case datetime():
            yield path, value + timedelta(hours=1)
        case Path():
            yield path, value / "x"
        case _:
            raise AssertionError(f"{path}: {value!r} says nothing that could change")


def with_table(**changes: Any) -> Product:
    return PRODUCT.model_copy(update={"derived_tables": (TABLE.model_copy(update=changes),)})


def with_drift(*bounds: Drift) -> Product:
    assert TABLE.feature is not None
    return with_table(feature=TABLE.feature.model_copy(update={"drift": bounds}))


CHANGES = list(changed(PRODUCT, ""))
READ, LOOSE, TIGHT = TABLE.reads[0], Drift(column="id", most=0.6), Drift(column="id", most=0.4)
AUDITED = TABLE.expectations[0]


@pytest.mark.parametrize(("place", "other"), CHANGES, ids=[place for place, _ in CHANGES])
def test_whatever_changes_is_told_there_and_back(place: str, other: Product) -> None:
    told = [bool(diff_products(*pair)) for pair in ((PRODUCT, other), (other, PRODUCT))]
    assert told == [place not in PLACES] * 2


@pytest.mark.parametrize(
    ("other", "path", "breaking"),
    [
        (with_drift(LOOSE), "feature.drift.id", True),
        (with_drift(TIGHT), "feature.drift.id", False),
        (with_drift(), "feature.drift.id", True),
        (with_table(reads=(READ.model_copy(update={"hours": 3}),)), "reads.events", False),
        (with_table(reads=(READ, Read(table="other"))), "reads.other", False),
        (with_table(references=()), "references.prices", False),
        (with_table(handover=None), "handover", False),
        (
            with_table(logic=TABLE.logic.model_copy(update={"incremental_by": "timeRange"})),
            "logic.incremental_by",
            False,
        ),
        (with_table(late=LatePolicy(share=0.9)), "late.share", False),
        (with_table(expectations=()), "expectations.expect_a(column='id')", True),
        (
            with_table(expectations=(AUDITED, Expectation(type="expect_b"))),
            "expectations.expect_b()",
            False,
        ),
        (
            with_table(expectations=(AUDITED.model_copy(update={"description": ""}),)),
            "expectations.expect_a(column='id')",
            False,
        ),
        (with_table(feature=None), "feature", True),
        (with_table(columns=()), "columns.id", True),
    ],
)
def test_a_change_of_a_derived_table_breaks_or_not(
    other: Product, path: str, breaking: bool
) -> None:
    found = {change.path: change.breaking for change in diff_products(PRODUCT, other)}
    assert found[f"derived_tables.hourly.{path}"] is breaking


def test_a_new_bound_of_drift_breaks_nobody() -> None:
    (change,) = diff_products(with_drift(), with_drift(TIGHT))
    assert (change.what, change.breaking) == ("added", False)
