"""The graph that OpenLineage events alone give is Dagster's, asset by asset and column by column."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from openlineage.client.event_v2 import RunEvent, RunState
from pyspark.sql import SparkSession

from assets.definitions import build
from pipeline.batch.context import RangeContext
from pipeline.batch.lineage.hours import hour_completed
from pipeline.batch.model import Source
from pipeline.cells import Cell
from pipeline.contract.load import load_products
from pipeline.contract.model import Product, published_table
from pipeline.contract.targets.iceberg import events_schema
from pipeline.control.publications import Publication, PublicationLog
from pipeline.ingest.lineage.events import SoFar, ingest_event
from pipeline.ingest.report import IngestReport
from pipeline.lineage.emitter import Emitter
from pipeline.settings import load_settings
from tests.support.openlineage_schemas import check_event
from tests.support.orders import hour

CELL = "us"
PRODUCTS = [one for one in load_products(load_settings().contracts) if CELL in one.cells]
Column = tuple[str, str]
"""A dataset's name and a column's."""


@dataclass
class Graph:
    """Datasets by their names, what each is made from, and what each column is made from."""

    made_from: dict[str, set[str]] = field(default_factory=dict)
    columns: dict[Column, set[Column]] = field(default_factory=dict)


def told_by_events(cell: Cell) -> Graph:
    """Return the graph of what each product's jobs emit, read back from the files."""
    found = Graph()
    for event in (one for product in PRODUCTS for one in written(cell, product)):
        check_event(event)
        for output in event["outputs"]:
            name = named(output)
            # Of a run with several outputs each says what it is made from.
            sources = output["facets"].get("lineage", event)["inputs"]
            inputs = {named(one) for one in sources}
            # A table that reads its own earlier hours is no edge of Dagster's.
            found.made_from.setdefault(name, set()).update(inputs - {name})
            lineage = output["facets"].get("columnLineage", {}).get("fields", {})
            for column, fields in lineage.items():
                found.columns[name, column] = {
                    (named(one), one["field"]) for one in fields["inputFields"]
                }
    return found


def shown_by_dagster() -> Graph:
    """Return the graph of the assets that are datasets, by the names that their metadata give them."""
    nodes = build(CELL).get_repository_def().asset_graph
    names = {key: name for key in nodes.get_all_asset_keys() if (name := dataset(nodes, key))}
    found = Graph()
    for key, name in names.items():
        node = nodes.get(key)
        if node.is_materializable:
            found.made_from[name] = {names[parent] for parent in node.parent_keys}
        lineage = node.metadata.get("dagster/column_lineage")
        if lineage is not None:
            for column, deps in lineage.deps_by_column.items():
                found.columns[name, column] = {
                    (names[dep.asset_key], dep.column_name) for dep in deps
                }
    return found


def dataset(nodes: Any, key: dg.AssetKey) -> str | None:
    """Return what an asset is called outside Dagster; None of what is no dataset."""
    said = {name: getattr(value, "value", value) for name, value in nodes.get(key).metadata.items()}
    if "dagster/table_name" in said:
        return str(said["dagster/table_name"])
    if "topic" in said and nodes.get(key).is_external:
        return f"topic {said['topic']}"
    return f"{key.path[1]} {said['source']}" if "source" in said else None


def named(one: dict[str, Any]) -> str:
    """Return a dataset of an event by the same names."""
    namespace, name = one["namespace"], one["name"]
    if namespace.startswith("kafka://"):
        return f"topic {name}"
    if namespace in ("file", "package"):
        owner = next(
            product.name
            for product in PRODUCTS
            for reference in product.references
            if reference.source in (f"{namespace}:{name}", f"file:{name.partition('/')[2]}")
        )
        path = name.partition("/")[2] if namespace == "file" else name
        return f"{owner} {namespace}:{path}"
    # Of a feature table hours are published in its history, from which it is derived.
    return f"{CELL}.{name.removesuffix('_history')}"


def written(cell: Cell, product: Product) -> list[dict[str, Any]]:
    emitter = Emitter(cell, product.name)
    emitter.emit(*ended(cell, product))
    return [json.loads(line) for line in emitter.path.read_text().splitlines()]


def ended(cell: Cell, product: Product) -> list[RunEvent]:
    """Return the end of an ingest, and of an hour of each derived table."""
    so_far = SoFar("id", IngestReport(), schema=events_schema(product))
    events = [ingest_event(RunState.COMPLETE, cell, product, "run", hour(6), so_far)]
    for table in product.derived_tables:
        # Lineage asks no Spark.
        spark, sources = cast("SparkSession", None), {hour(5): Source(11, 0)}
        context = RangeContext(spark, cell, product, table, sources, "run", PublicationLog())
        name = published_table(product, table)
        published = Publication(name, hour(5), hour(7), 11, 22, 33, "wap", 4, "1", "run", 2)
        events.append(hour_completed(context, published, None))
    return events


@pytest.fixture
def graphs(cell: Cell) -> tuple[Graph, Graph]:
    return told_by_events(cell), shown_by_dagster()


def test_every_dataset_is_made_from_the_same(graphs: tuple[Graph, Graph]) -> None:
    told, shown = graphs
    assert len(told.made_from) > 6
    assert told.made_from == shown.made_from


def test_every_column_is_made_from_the_same(graphs: tuple[Graph, Graph]) -> None:
    told, shown = graphs
    assert len(told.columns) > 50
    assert told.columns == shown.columns


def test_columns_that_are_named_are_in_the_schemas_that_are_told(cell: Cell) -> None:
    for product in PRODUCTS:
        events = written(cell, product)
        known = {
            named(one): {column["name"] for column in one["facets"]["schema"]["fields"]}
            for event in events
            for one in (*event["inputs"], *event["outputs"])
            if "schema" in one["facets"]
        }
        told = told_by_events(cell).columns
        sources = {source for made_from in told.values() for source in made_from}
        for dataset_, column in sources:
            assert dataset_ not in known or column in known[dataset_], (dataset_, column)


def test_nothing_of_this_machine_is_told_but_where_the_warehouse_is(
    cell: Cell, tmp_path: Path
) -> None:
    for product in PRODUCTS:
        text = json.dumps(written(cell, product)).replace(cell.warehouse, "")
        assert str(tmp_path) not in text
        assert str(product.folder) not in text
