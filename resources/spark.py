"""Spark: one lazy session a process, configured for a cell's catalog."""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from pipeline.cells import load_cell
from pipeline.config.secret_text import marked_all
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.java import start_java
from pipeline.spark.session import session_config


class CellPySparkResource(LazyPySparkResource):
    """A `LazyPySparkResource` whose JVM has no secrets among its arguments."""

    @property
    def spark_session(self) -> Any:
        """The process's session, started at first use."""
        start_java(self.spark_config)
        return super().spark_session

    @property
    def spark_context(self) -> Any:
        """The session's context."""
        return self.spark_session.sparkContext


def spark_resource(cell_name: str) -> dg.ResourceDefinition:
    """Return a resource that gives runs a `LazyPySparkResource` for the cell `cell_name`.

    Where the cell's catalog is gets looked up when a run that needs Spark starts; the session itself
    starts with the first use of `.spark_session`, and everything in one process shares it.
    Initialization raises `CellNotFoundError` where no such cell is configured.
    """

    @dg.resource(description=f"Spark, with the Iceberg catalog of cell {cell_name}.")
    def spark(_context: dg.InitResourceContext) -> LazyPySparkResource:
        settings = load_settings()
        cell = load_cell(settings.home, cell_name)
        config = session_config(cell, spark_jars(settings.cache, cell))
        return CellPySparkResource(spark_config=marked_all(config))

    return spark
