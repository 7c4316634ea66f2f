"""How Spark is told where a cell's catalog is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.batch.session import CatalogNotSupportedError, catalog_config, session_config
from pipeline.cells import embedded_cell

CELL = embedded_cell(Path("/data"), "eu", "127.0.0.1:9")


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
    assert config["spark.sql.catalog.eu.jdbc.user"] == "reader"


def test_a_catalog_without_a_driver_is_an_error_by_name() -> None:
    with pytest.raises(CatalogNotSupportedError, match="mysql"):
        catalog_config(replace(CELL, catalog_uri="mysql://db/iceberg"))


def test_spark_listens_on_this_machine_alone() -> None:
    config = session_config(CELL, [Path("/jars/a.jar"), Path("/jars/b.jar")])
    assert config["spark.driver.bindAddress"] == "127.0.0.1"
    assert config["spark.ui.enabled"] == "false"
    assert config["spark.jars"] == "/jars/a.jar,/jars/b.jar"
