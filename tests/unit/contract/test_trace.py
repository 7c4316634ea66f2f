"""Columns followed back to the topic and reference data, and drawn."""

from __future__ import annotations

import csv
from xml.etree import ElementTree

import pytest

from pipeline.contract.lineage.chart import column_lineage_chart
from pipeline.contract.lineage.sources import TOPIC, SourceColumn
from pipeline.contract.lineage.trace import ColumnEdge, trace_columns, trace_origins
from pipeline.contract.load import load_products
from pipeline.contract.model import Product
from pipeline.contract.references.declared import locate
from tests.unit.contract.conftest import ROOT

PRODUCTS = load_products(ROOT / "contracts")
TABLES = [(product, table.name) for product in PRODUCTS for table in product.derived_tables]
FEATURES = "user_preference_features"
SVG = "{http://www.w3.org/2000/svg}"

every_table = pytest.mark.parametrize(
    ("product", "table"), TABLES, ids=[table for _, table in TABLES]
)


@pytest.fixture
def viewing() -> Product:
    return next(product for product in PRODUCTS if product.name == "viewing_events")


def named(*columns: SourceColumn) -> set[str]:
    return {f"{one.table}.{one.column}" for one in columns}


def test_a_feature_comes_from_fields_of_the_topic_through_every_table_between(
    viewing: Product,
) -> None:
    ends = trace_origins(viewing, FEATURES)
    assert named(*ends["user_id"]) == {"topic.user_id"}
    assert named(*ends["sessions"]) == {"topic.user_id", "topic.timestamp"}
    assert {"topic.completion", "content.genre", "time_zones.time_zone"} <= named(
        *ends["watch_pattern_affinity"]
    )
    steps = [
        ("user_preference_features.sessions", "viewing_features_raw.session_id"),
        ("viewing_features_raw.session_id", "events.timestamp"),
        ("events.timestamp", "topic.timestamp"),
    ]
    made = [(*named(one.column), *named(one.source)) for one in trace_columns(viewing, FEATURES)]
    assert [step for step in made if step in steps] == steps, "each once, nearest first"


@every_table
def test_a_column_of_the_contracts_ends_at_what_there_is(product: Product, table: str) -> None:
    known = {
        (reference.name, column)
        for reference in product.references
        for column in next(
            csv.reader(locate(reference.source, product.folder).read_text().splitlines())
        )
    }
    known |= {(TOPIC, field["name"]) for field in product.payload_schema["fields"]}
    columns = next(one.columns for one in product.derived_tables if one.name == table)
    ends = trace_origins(product, table)
    assert set(ends) >= {column.name for column in columns if column.sources}
    for column, found in ends.items():
        assert found, column
        assert {(one.table, one.column) for one in found} <= known


def test_no_other_table_has_no_trace(viewing: Product) -> None:
    with pytest.raises(KeyError):
        trace_origins(viewing, "nothing")


@every_table
def test_a_chart_has_each_column_once_and_lines_from_left_to_right(
    product: Product, table: str
) -> None:
    made = trace_columns(product, table)
    chart = ElementTree.fromstring(column_lineage_chart(table, made))  # noqa: S314 - our own
    boxes = [box for box in chart.iter(f"{SVG}rect") if box.get("rx")]
    columns = {one for pair in made for one in (pair.column, pair.source)}
    assert len(boxes) == len({column.table for column in columns})
    written = [one.text for one in chart.iter(f"{SVG}text")]
    assert len(written) == 1 + len(boxes) + len(columns)
    lines = [one.get("d", "") for one in chart.iter(f"{SVG}path") if "C" in one.get("d", "")]
    assert len(lines) == len(made)
    for line in lines:
        start, end = line[1:].split("C")[0], line.rsplit(" ", 1)[1]
        assert float(start.split(",")[0]) < float(end.split(",")[0])


def test_names_are_escaped_in_a_chart() -> None:
    made = [ColumnEdge(SourceColumn("a<b", "c&d"), SourceColumn("topic", '"e"'))]
    ElementTree.fromstring(column_lineage_chart("<&>", made))  # noqa: S314 - our own
