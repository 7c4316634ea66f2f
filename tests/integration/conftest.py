"""What the integration tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.contract.model import Product
from pipeline.spark.session import start_session
from tests.support.products import own_product


@pytest.fixture
def strict_product(tmp_path: Path) -> Product:
    """The test product with an envelope and the strict freshness gate, on a topic of its own."""
    return own_product("strict_events", tmp_path / "contracts")


@pytest.fixture(scope="session")
def spark(
    tmp_path_factory: pytest.TempPathFactory, spark_jars: tuple[Path, ...]
) -> Iterator[SparkSession]:
    """The session's Spark engine. Cells of tests share it: each opens its catalog in own sessions."""
    cell = embedded_cell(tmp_path_factory.mktemp("spark"), "engine", "127.0.0.1:9")
    session = start_session(cell, spark_jars)
    yield session
    session.stop()


@pytest.fixture
def quiet_cell(home: Path) -> Cell:
    """A fresh cell named `us` whose Kafka is never asked."""
    cell = embedded_cell(home, "us", "127.0.0.1:9")
    save_cell(home, cell)
    return cell
