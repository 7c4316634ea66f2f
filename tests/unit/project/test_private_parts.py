"""What Headwater uses of libraries that they keep to themselves stands in one module a library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.settings import PROJECT
from tests.support.private_parts import MODULES, parts_of

UNDOCUMENTED = ("kafka.net", "kafka.protocol")
FOLDERS = (
    "assets",
    "benchmarks",
    "contracts",
    "headwater",
    "pipeline",
    "quality",
    "resources",
    "tests",
)


def is_private(module: str, name: str) -> bool:
    parts = (*module.split("."), name)
    return any(part.startswith("_") for part in parts) or module.startswith(UNDOCUMENTED)


def private_imports(file: Path) -> Iterator[str]:
    text = file.read_text()
    tree = ast.parse(text if any(library in text for library in MODULES) else "")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found = [(node.module, one.name) for one in node.names]
        elif isinstance(node, ast.Import):
            found = [(one.name, "") for one in node.names]
        else:
            continue
        for module, name in found:
            if module.partition(".")[0] in MODULES and is_private(module, name):
                yield f"{file.relative_to(PROJECT)}: {module} {name}"


def test_they_are_imported_in_one_module_a_library() -> None:
    files = (file for folder in FOLDERS for file in (PROJECT / folder).rglob("*.py"))
    found = [one for file in files for one in private_imports(file)]
    homes = {one: home for one in found for home in MODULES.values() if one.startswith(home)}
    assert homes.keys() == {*found}
    assert {*homes.values()} == {*MODULES.values()}


def test_what_is_not_as_we_know_it_names_the_module_to_look_at() -> None:
    with (
        pytest.raises(AssertionError, match=r"kafka-python \d.* has changed what pipeline/kafka/"),
        parts_of("kafka"),
    ):
        raise AttributeError("no _net")


def test_a_job_of_assets_is_of_the_type_that_annotations_name() -> None:
    from dagster import define_asset_job

    with parts_of("dagster"):
        kind = type(define_asset_job("a"))
        home = f"{MODULES['dagster']}runs.py"
        assert f"{home}: {kind.__module__} {kind.__name__}" in private_imports(PROJECT / home)


def test_events_are_kept_in_tables_of_known_columns() -> None:
    with parts_of("dagster"):
        home = import_module("dagster._core.storage.event_log")
        schema = import_module("dagster._core.storage.event_log.schema")
        known = {
            schema.SqlEventLogStorageTable: ("id", "run_id", "asset_key", "partition", "timestamp"),
            schema.AssetEventTagsTable: ("event_id",),
            schema.AssetCheckExecutionsTable: ("id", "asset_key", "check_name", "create_timestamp"),
        }
        for table, columns in known.items():
            assert set(columns) <= set(table.c.keys())
        for name in ("index_connection", "run_connection", "path_for_shard"):
            assert hasattr(home.SqliteEventLogStorage, name)


def test_a_code_server_starts_its_code_and_its_runs_by_names_that_can_be_others() -> None:
    from assets.dagster_private.processes import RUN_MODULES

    with parts_of("dagster"):
        server = import_module("dagster._grpc.server")
        for name in (
            "get_python_environment_entry_point",
            "multiprocessing",
            "start_run_in_subprocess",
        ):
            assert hasattr(server, name)
        assert callable(server.DagsterGrpcServer.serve)
        for module in RUN_MODULES:
            import_module(module)


def test_the_daemon_is_a_module_that_runs_a_workspace() -> None:
    from assets.dagster_private.processes import DAEMON

    with parts_of("dagster"):
        assert find_spec(f"{DAEMON}.__main__") is not None
        run = import_module(f"{DAEMON}.cli").create_dagster_daemon_cli().commands["run"]
        assert "-w" in [name for option in run.params for name in option.opts]


def test_a_run_is_tagged_with_the_code_server_that_starts_it() -> None:
    from assets.dagster_private.runs import GRPC_INFO_TAG

    with parts_of("dagster"):
        assert import_module("dagster._core.storage.tags").GRPC_INFO_TAG == GRPC_INFO_TAG
