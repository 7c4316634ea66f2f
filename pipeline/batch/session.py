"""The Spark session of a cell: its catalog under the cell's own name, shared with PyIceberg."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from sqlalchemy.engine import make_url

from pipeline.cells import Cell
from pipeline.errors import TerminalError
from pipeline.tables.catalog import LOCK_WAIT_S

_EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"


class CatalogNotSupportedError(TerminalError):
    """Spark cannot open the cell's catalog: there is no JDBC driver for it here."""


def catalog_config(cell: Cell) -> dict[str, str]:
    """Return the settings that let any Spark session open the cell's catalog; set at any time.

    The catalog is named as the cell: rows of a JDBC catalog are keyed by that name. It caches
    nothing, so that commits by others are seen.

    Raises:
        CatalogNotSupportedError: the catalog is neither SQLite nor PostgreSQL.
    """
    prefix = f"spark.sql.catalog.{cell.name}"
    return {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        f"{prefix}.warehouse": cell.warehouse,
        f"{prefix}.cache-enabled": "false",
        f"{prefix}.jdbc.schema-version": "V1",
        **{f"{prefix}.{key}": value for key, value in _jdbc(cell).items()},
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.shuffle.partitions": "4",
    }


def session_config(cell: Cell, jars: Iterable[Path]) -> dict[str, str]:
    """Return every setting of a session that works on the cell, for a builder of sessions.

    Raises:
        CatalogNotSupportedError: as `catalog_config`.
    """
    return {
        "spark.master": "local[*]",
        "spark.app.name": f"headwater {cell.name}",
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.sql.extensions": _EXTENSIONS,
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(cell.root / "spark"),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        **catalog_config(cell),
    }


def start_session(cell: Cell, jars: Iterable[Path]) -> SparkSession:
    """Return the process's Spark session, started (seconds) unless there is one already.

    The caller stops it. A session that somebody else started keeps its own jars and master.

    Raises:
        CatalogNotSupportedError: as `catalog_config`.
    """
    builder = SparkSession.builder
    for key, value in session_config(cell, jars).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def own_session(spark: SparkSession, cell: Cell) -> SparkSession:
    """Return a session of its own (settings, views) on `spark`'s engine that can open the cell."""
    session = spark.newSession()
    for key, value in catalog_config(cell).items():
        session.conf.set(key, value)
    return session


def table_name(cell: Cell, identifier: str) -> str:
    """Return the quoted name of `namespace.table` in SQL."""
    return ".".join(f"`{part}`" for part in (cell.name, *identifier.split(".")))


def rows_at(session: SparkSession, cell: Cell, identifier: str, snapshot_id: int) -> DataFrame:
    """Return the rows of `namespace.table` as of a snapshot, on main or off it.

    Raises:
        pyspark.errors.AnalysisException: there is no such table.
    """
    name = table_name(cell, identifier)
    return session.sql(f"SELECT * FROM {name} VERSION AS OF {snapshot_id:d}")  # noqa: S608


def _jdbc(cell: Cell) -> dict[str, str]:
    url = make_url(cell.catalog_uri)
    backend = url.get_backend_name()
    if backend == "sqlite":
        options = f"busy_timeout={LOCK_WAIT_S * 1000}&journal_mode=WAL"
        return {"uri": f"jdbc:sqlite:{url.database}?{options}"}
    if backend == "postgresql":
        port = f":{url.port}" if url.port else ""
        login = {"jdbc.user": url.username, "jdbc.password": url.password}
        return {
            "uri": f"jdbc:postgresql://{url.host}{port}/{url.database}",
            **{key: str(value) for key, value in login.items() if value is not None},
        }
    raise CatalogNotSupportedError(
        f"Spark has no driver here for a catalog in {backend}.",
        subject=f"cell {cell.name}",
        remedy="Use a SQLite or a PostgreSQL catalog.",
    )
