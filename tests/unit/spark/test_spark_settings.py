"""How Spark is told where a cell's catalog is, and what the cell itself may tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headwater.stack.ports import free_port
from pipeline.catalogs.errors import CatalogNotSupportedError
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.spark.comet import CometNotSupportedError
from pipeline.spark.errors import SparkUnavailableError
from pipeline.spark.jars import jar_sets
from pipeline.spark.remote import answers
from pipeline.spark.session import (
    catalog_config,
    session_config,
    start_session,
)
from pipeline.spark.settings import SparkSettingError

CELL = embedded_cell(Path("/data"), "eu", "127.0.0.1:9")
FILES_JAR = Path("/jars/hadoop-bare-naked-local-fs-0.1.0.jar")
JARS = [Path("/jars/a.jar"), FILES_JAR]
COMET_JAR = Path("/jars/comet-spark-spark4.1_2.13-1.2.0.jar")


def with_spark(settings: Mapping[str, Any]) -> Cell:
    return replace(CELL, spark=settings)


def test_the_catalog_has_the_cells_name_waits_for_locks_and_caches_nothing() -> None:
    config = catalog_config(CELL)
    assert config["spark.sql.catalog.eu"] == "org.apache.iceberg.spark.SparkCatalog"
    assert config["spark.sql.catalog.eu.uri"] == (
        "jdbc:sqlite:/data/cells/eu/catalog.db?busy_timeout=60000&journal_mode=WAL"
    )
    assert config["spark.sql.catalog.eu.cache-enabled"] == "false"
    assert config["spark.sql.catalog.eu.jdbc.schema-version"] == "V1"


def test_a_postgresql_catalog_becomes_a_jdbc_one_with_its_login_apart() -> None:
    uri = "postgresql+psycopg2://reader:word@db:5433/iceberg"
    config = catalog_config(replace(CELL, catalog_uri=uri))
    assert config["spark.sql.catalog.eu.uri"] == "jdbc:postgresql://db:5433/iceberg"
    config = catalog_config(replace(CELL, catalog_uri=f"{uri}?sslmode=require&connect_timeout=3"))
    assert config["spark.sql.catalog.eu.uri"] == "jdbc:postgresql://db:5433/iceberg?sslmode=require"
    assert config["spark.sql.catalog.eu.jdbc.user"] == "reader"


def test_a_catalog_without_a_driver_is_an_error_by_name() -> None:
    with pytest.raises(CatalogNotSupportedError, match="mysql"):
        catalog_config(replace(CELL, catalog_uri="mysql://db/iceberg"))


def test_spark_listens_on_this_machine_alone() -> None:
    config = session_config(CELL, JARS)
    assert config["spark.master"] == "local[*]"
    assert config["spark.driver.bindAddress"] == "127.0.0.1"
    assert config["spark.ui.enabled"] == "false"
    assert config["spark.jars"] == f"/jars/a.jar,{FILES_JAR}"


def test_a_cells_settings_reach_spark_over_the_defaults_as_text() -> None:
    settings = {
        "spark.master": "k8s://https://cluster:6443",
        "spark.kubernetes.container.image": "registry/spark:4.1.1",
        "spark.kubernetes.namespace": "batch",
        "spark.executor.instances": 3,
        "spark.executor.memory": "4g",
        "spark.dynamicAllocation.enabled": False,
        "spark.driver.host": "driver.batch.svc",
        "spark.driver.bindAddress": "10.0.0.7",
    }
    config = session_config(with_spark(settings), JARS)
    given = {name: config[name] for name in settings}
    assert given == {
        **settings,
        "spark.executor.instances": "3",
        "spark.dynamicAllocation.enabled": "false",
    }
    untouched = session_config(CELL, JARS)
    own = {*settings, "spark.hadoop.fs.file.impl", "spark.driver.extraClassPath"}
    assert {k: v for k, v in config.items() if k not in own} == {
        k: v for k, v in untouched.items() if k not in own
    }


def test_files_on_this_machines_disks_are_written_without_a_process_for_each() -> None:
    config = session_config(CELL, JARS)
    assert config["spark.hadoop.fs.file.impl"].endswith(".BareLocalFileSystem")
    assert config["spark.driver.extraClassPath"] == str(FILES_JAR)
    own = {"spark.driver.extraClassPath": "/jars/own.jar"}
    config = session_config(with_spark(own), JARS)
    assert config["spark.driver.extraClassPath"] == f"/jars/own.jar:{FILES_JAR}"


@pytest.mark.parametrize(
    "settings",
    [
        {"spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.LocalFileSystem"},
        {"spark.master": "k8s://https://cluster:6443"},
    ],
)
def test_a_file_system_of_the_cells_or_of_its_cluster_is_left_alone(
    settings: Mapping[str, str],
) -> None:
    config = session_config(with_spark(settings), JARS)
    assert "spark.driver.extraClassPath" not in config
    assert config.get("spark.hadoop.fs.file.impl") == settings.get("spark.hadoop.fs.file.impl")


def test_a_cells_jars_are_added_to_those_that_the_tables_need() -> None:
    config = session_config(with_spark({"spark.jars": "/jars/postgresql.jar"}), JARS)
    assert config["spark.jars"] == f"/jars/a.jar,{FILES_JAR},/jars/postgresql.jar"


def test_every_session_takes_what_may_change_after_the_start() -> None:
    settings = {
        "spark.sql.shuffle.partitions": 64,
        "spark.sql.catalog.eu.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "spark.executor.memory": "4g",
    }
    config = catalog_config(with_spark(settings))
    assert config["spark.sql.shuffle.partitions"] == "64"
    assert config["spark.sql.catalog.eu.io-impl"] == "org.apache.iceberg.aws.s3.S3FileIO"
    assert "spark.executor.memory" not in config


@pytest.mark.parametrize(
    "name",
    [
        "spark.sql.catalog.eu",
        "spark.sql.catalog.eu.catalog-impl",
        "spark.sql.catalog.eu.type",
        "spark.sql.catalog.eu.uri",
        "spark.sql.catalog.eu.warehouse",
        "spark.sql.catalog.us.uri",
        "spark.sql.catalogImplementation",
        "spark.sql.extensions",
        "spark.sql.parquet.outputTimestampType",
        "spark.sql.session.timeZone",
        "spark.submit.deployMode",
        "spark.wap.id",
        "master",
    ],
)
def test_what_the_tables_depend_on_cannot_be_set(name: str) -> None:
    with pytest.raises(SparkSettingError, match=f"eu.*{name}"):
        session_config(with_spark({name: "other"}), JARS)


@pytest.mark.parametrize("value", [None, ["local"], {"cores": 1}])
def test_a_value_that_is_no_plain_one_is_refused(value: object) -> None:
    with pytest.raises(SparkSettingError, match=r"spark\.master"):
        session_config(with_spark({"spark.master": value}), JARS)


def test_a_connect_server_gets_settings_of_sql_alone() -> None:
    settings = {"spark.remote": "sc://server:15002", "spark.sql.shuffle.partitions": 8}
    config = session_config(with_spark(settings), JARS)
    assert config == {"spark.remote": "sc://server:15002", **catalog_config(with_spark(settings))}
    for name in ("spark.master", "spark.executor.memory", "spark.jars"):
        with pytest.raises(SparkSettingError, match=f"{name}.*server"):
            session_config(with_spark({**settings, name: "x"}), JARS)
    with pytest.raises(SparkSettingError, match="sc://"):
        session_config(with_spark({"spark.remote": "spark://server:7077"}), JARS)


def test_a_connect_server_that_does_not_answer_is_an_error_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"sc://127.0.0.1:{free_port()}"
    assert not answers(address, within_s=0.2)
    monkeypatch.setattr("pipeline.spark.session.answers", lambda _: answers(address, within_s=0.2))
    with pytest.raises(SparkUnavailableError, match="no server answers"):
        start_session(with_spark({"spark.remote": address}), JARS)


@pytest.fixture
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def test_comet_is_not_loaded_where_the_cell_turns_it_off(on_linux: None) -> None:
    cell = with_spark({"spark.comet.enabled": False})
    assert jar_sets(cell) == ("spark",)
    assert [name for name in session_config(cell, JARS) if "comet" in name] == [
        "spark.comet.enabled"
    ]


@pytest.mark.parametrize("said", [{}, {"spark.comet.enabled": True}])
def test_comet_is_loaded_by_default(on_linux: None, said: Mapping[str, Any]) -> None:
    cell = with_spark({**said, "spark.driver.memory": "3g"})
    assert jar_sets(cell) == ("spark", "comet")
    config = session_config(cell, [*JARS, COMET_JAR])
    assert config["spark.plugins"] == "org.apache.spark.CometPlugin"
    assert config["spark.driver.extraClassPath"] == f"{COMET_JAR}:{FILES_JAR}"
    assert str(COMET_JAR) in config["spark.jars"].split(",")
    assert config["spark.shuffle.manager"].endswith(".CometShuffleManager")
    assert config["spark.memory.offHeap.enabled"] == "true"
    assert config["spark.memory.offHeap.size"] == "3g"
    assert config["spark.comet.expression.Pow.enabled"] == "false"


def test_what_a_cell_says_of_comet_counts_and_its_plugins_are_kept(on_linux: None) -> None:
    settings = {
        "spark.comet.enabled": "true",
        "spark.comet.expression.Pow.enabled": True,
        "spark.memory.offHeap.size": "512m",
        "spark.plugins": "org.example.Plugin",
        "spark.driver.extraClassPath": "/jars/own.jar",
    }
    config = session_config(with_spark(settings), [*JARS, COMET_JAR])
    assert config["spark.comet.expression.Pow.enabled"] == "true"
    assert config["spark.memory.offHeap.size"] == "512m"
    assert config["spark.plugins"] == "org.apache.spark.CometPlugin,org.example.Plugin"
    assert config["spark.driver.extraClassPath"] == f"{COMET_JAR}:/jars/own.jar:{FILES_JAR}"


@pytest.mark.parametrize(
    ("system", "machine", "spark", "settings", "why"),
    [
        ("Darwin", "arm64", "4.1.1", {}, "Darwin arm64"),
        ("Linux", "riscv64", "4.1.1", {}, "Linux riscv64"),
        ("Linux", "x86_64", "4.2.0", {}, r"4\.2\.0"),
        ("Linux", "x86_64", "4.1.1", {"spark.master": "spark://m:7077"}, "spark://m:7077"),
        ("Linux", "x86_64", "4.1.1", {"spark.shuffle.manager": "sort"}, "spark.shuffle.manager"),
    ],
)
def test_where_there_is_no_comet_spark_runs_without_and_asking_for_it_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    machine: str,
    spark: str,
    settings: Mapping[str, Any],
    why: str,
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("pipeline.spark.comet.version", lambda _: spark)
    without = with_spark(settings)
    assert jar_sets(without) == ("spark",)
    assert not [name for name in session_config(without, JARS) if "comet" in name]
    cell = with_spark({"spark.comet.enabled": True, **settings})
    for refused in (lambda: jar_sets(cell), lambda: session_config(cell, [*JARS, COMET_JAR])):
        with pytest.raises(CometNotSupportedError, match=rf"spark\.comet\.enabled.*eu.*{why}"):
            refused()


def test_comet_is_refused_beside_a_connect_server() -> None:
    settings = {"spark.remote": "sc://server:15002"}
    assert jar_sets(with_spark(settings)) == ("spark",)
    assert not [name for name in session_config(with_spark(settings), JARS) if "comet" in name]
    settings |= {"spark.remote": "sc://server:15002/;token=word", "spark.comet.enabled": "true"}
    with pytest.raises(CometNotSupportedError, match="Spark Connect server") as refused:
        jar_sets(with_spark(settings))
    assert "word" not in str(refused.value)
    with pytest.raises(SparkSettingError, match=r"spark\.comet\.enabled.*server"):
        session_config(with_spark(settings), JARS)


def test_runs_in_dagster_get_the_cells_settings_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark_jars: tuple[Path, ...]
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    cell = embedded_cell(tmp_path, "eu", "127.0.0.1:9")
    save_cell(tmp_path, replace(cell, spark={"spark.master": "spark://m:7077"}))
    # Dagster takes seconds to import.
    import dagster as dg
    from dagster_pyspark import LazyPySparkResource

    from resources.spark import spark_resource

    with dg.build_resources({"spark": spark_resource("eu")}) as resources:
        assert isinstance(resources.spark, LazyPySparkResource)
        assert resources.spark.spark_config["spark.master"] == "spark://m:7077"
