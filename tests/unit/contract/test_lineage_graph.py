"""The graph of a product: every table and column, and what leads where."""

from __future__ import annotations

import pytest

from pipeline.contract.lineage.graph import TableKind, lineage_graph
from pipeline.contract.lineage.sources import SourceColumn
from pipeline.contract.lineage.trace import trace_columns, trace_origins
from pipeline.contract.load import load_products
from pipeline.contract.model import EVENTS, Product
from tests.unit.contract.conftest import ROOT

PRODUCTS = load_products(ROOT / "contracts")

each = pytest.mark.parametrize("product", PRODUCTS, ids=[one.name for one in PRODUCTS])


@each
def test_tables_come_after_what_they_read_and_hold_every_column_of_a_step(
    product: Product,
) -> None:
    graph = lineage_graph(product)
    names = [table.name for table in graph.tables]
    derived = [table.name for table in product.derived_tables]
    references = [reference.name for reference in product.references]
    assert names == ["topic", *references, "events", "dead_letters", *derived]
    for place, table in enumerate(graph.tables):
        assert set(table.reads) <= set(names[:place])
    held = {(table.name, column.name) for table in graph.tables for column in table.columns}
    assert {
        (one.table, one.column) for edge in graph.edges for one in (edge.source, edge.column)
    } <= held
    assert len(held) == sum(len(table.columns) for table in graph.tables)


@each
def test_what_leads_to_a_column_is_what_the_trace_says(product: Product) -> None:
    graph = lineage_graph(product)
    for table in (EVENTS, *(one.name for one in product.derived_tables)):
        sources: dict[SourceColumn, set[SourceColumn]] = {}
        for edge in trace_columns(product, table):
            sources.setdefault(edge.column, set()).add(edge.source)
        for column, ends in trace_origins(product, table).items():
            at = SourceColumn(table, column)
            expected: set[SourceColumn] = set()
            waiting = [at]
            while waiting:
                more = sources.get(waiting.pop(), set()) - expected
                expected |= more
                waiting += more
            found = graph.leads_to(at)
            assert found == expected
            assert {one for one in found if not graph.made_from(one)} == set(ends) - {at}
            assert all(at in graph.comes_of(one) for one in found)


def test_a_graph_says_kinds_owners_types_and_personal_data() -> None:
    viewing = next(one for one in PRODUCTS if one.name == "viewing_events")
    tables = {table.name: table for table in lineage_graph(viewing).tables}
    assert tables["user_preference_features"].kind is TableKind.FEATURES
    assert tables["viewing_features_raw"].owner == "personalisation-features"
    assert tables["viewing_features_raw"].reads == ("events", "content", "time_zones")
    user = next(column for column in tables["events"].columns if column.name == "user_id")
    assert (user.type, user.personal) == ("string", True)
    assert "consent:personalisation" in user.tags
    assert tables["dead_letters"].reads == ("topic",)
