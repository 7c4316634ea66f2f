"""The graph: what each code location holds, agreed on in a file, loadable with no stack up."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.definitions import build as build_anew
from headwater.stack.dagster.instance import INSTANCE
from headwater.stack.defaults import WORKSPACE
from pipeline.contract.load import load_products
from pipeline.settings import PROJECT, load_settings
from tests.definitions.graph import CELLS, golden, graph

build = cache(build_anew)
UPDATE = "run `python tests/definitions/graph.py` if the change is meant"


@pytest.mark.parametrize("cell", CELLS)
def test_the_graph_is_the_one_agreed_on(cell: str) -> None:
    assert graph(build(cell)) == golden(cell).read_text(), UPDATE


@pytest.mark.parametrize("cell", CELLS)
def test_definitions_can_be_loaded_by_dagster(cell: str) -> None:
    dg.Definitions.validate_loadable(build(cell))


def test_the_locations_load_with_no_stack_and_no_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code = (
        f"import importlib\nfor cell in {CELLS}: importlib.import_module(f'assets.cells.{{cell}}')"
    )
    environment = {"HEADWATER_HOME": str(home), "PATH": "", "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT, env=environment)
    assert not home.exists(), "loading definitions creates nothing"


def test_a_cell_holds_the_products_that_live_in_it_and_no_other() -> None:
    products = load_products(load_settings().contracts)
    for cell in CELLS:
        keys = build(cell).get_repository_def().asset_graph.get_all_asset_keys()
        assert {key.path[1] for key in keys} == {p.name for p in products if cell in p.cells}
        assert {key.path[0] for key in keys} <= {cell}


def test_every_sensor_and_schedule_starts_running() -> None:
    repository = build("us").get_repository_def()
    assert {s.default_status for s in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}
    assert {s.default_status for s in repository.schedule_defs} == {
        dg.DefaultScheduleStatus.RUNNING
    }


def test_what_starts_spark_is_in_a_pool_of_one_run_at_a_time_and_ingests_are_in_none() -> None:
    nodes = build("us").get_repository_def().asset_graph.asset_nodes
    pools = {node.key.path[-1]: node.pools for node in nodes if node.is_materializable}
    assert {name for name, pool in pools.items() if pool == {"spark"}} == {
        table.name
        for product in load_products(load_settings().contracts)
        for table in product.derived_tables
    }
    assert pools["events"] == set()
    assert pools["maintenance"] == {"maintenance"}, "no hour waits for upkeep"
    limits = yaml.safe_load(INSTANCE.read_text())["concurrency"]["pools"]
    assert limits == {"granularity": "run", "default_limit": 1}


def test_every_table_shows_its_columns_with_the_contracts_words() -> None:
    product = load_products(load_settings().contracts)[-1]
    nodes = build(product.cells[0]).get_repository_def().asset_graph
    schema = nodes.get(dg.AssetKey([product.cells[0], product.name, "events"])).metadata[
        "dagster/column_schema"
    ]
    shown = {column.name: column for column in schema.columns}
    assert shown["_uuid"].constraints.nullable is False
    for column in product.columns:
        assert shown[column.name].description == column.description
        if column.classification:
            assert shown[column.name].tags["classification"] == column.classification


def test_the_workspace_lists_code_locations_that_load() -> None:
    workspace = yaml.safe_load(WORKSPACE.read_text())
    for entry in workspace["load_from"]:
        module = entry["python_module"]
        definitions = getattr(import_module(module["module_name"]), module["attribute"])
        dg.Definitions.validate_loadable(definitions)
