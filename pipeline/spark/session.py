"""The Spark session of a cell: its catalog under the cell's own name, shared with PyIceberg."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlencode

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote
from sqlalchemy.engine import make_url

from pipeline.catalogs import rest, s3
from pipeline.catalogs.errors import CatalogNotSupportedError
from pipeline.catalogs.sqlite import LOCK_WAIT_S
from pipeline.cells import Cell
from pipeline.config.secret_text import marked_all, scrubbed
from pipeline.spark.comet import comet_config
from pipeline.spark.errors import SparkUnavailableError, first_line
from pipeline.spark.java import start_java
from pipeline.spark.local_files import local_files_config
from pipeline.spark.remote import answers, clone
from pipeline.spark.settings import JARS, MASTER, REMOTE, spark_settings

_FIXED_AT_START = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalogImplementation": "in-memory",
}


_HERE = {
    MASTER: "local[*]",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    # Else each call that makes an expression asks the JVM a dozen questions more, for messages of which
    # nobody sees more than the first line.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}
"""Spark in this process, with no server that others could reach."""
_TYPES = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


def catalog_config(cell: Cell) -> dict[str, str]:
    """Return the settings that let any Spark session open the cell's catalog; set at any time.

    The catalog is named as the cell: rows of a JDBC catalog are keyed by that name. It caches
    nothing, so that commits by others are seen. The cell's own settings that a session can take at
    any time are among them.

    Raises:
        CatalogNotSupportedError: the catalog is neither SQLite nor PostgreSQL.
        SparkSettingError: a setting of the cell cannot be used.
    """
    fixed = _fixed(cell)
    given = spark_settings(cell, {*fixed, *_FIXED_AT_START})
    ours = {"spark.sql.shuffle.partitions": "4"}
    of_catalog = f"spark.sql.catalog.{cell.name}."
    taken = {k: v for k, v in given.items() if k in ours or k.startswith(of_catalog)}
    return ours | taken | fixed


def session_config(cell: Cell, jars: Iterable[Path]) -> dict[str, str]:
    """Return every setting of a session that works on the cell, for a builder of sessions.

    The cell's own settings are merged over the defaults, which are Spark in this process; its
    `spark.jars` are added to `jars`, which are `spark_jars` of the cell. With `spark.remote` the session
    is on a Spark Connect server, which has jars and extensions of its own.

    Raises:
        CatalogNotSupportedError, SparkSettingError: as `catalog_config`.
        CometNotSupportedError: the cell turns Comet on, and there is none for it.
    """
    catalog = catalog_config(cell)
    given = spark_settings(cell, {*_fixed(cell), *_FIXED_AT_START})
    if REMOTE in given:
        return given | catalog
    more, jars = given.pop(JARS, "").split(","), tuple(jars)
    given |= local_files_config(given, jars)
    return {
        **_HERE,
        "spark.app.name": f"headwater {cell.name}",
        "spark.sql.warehouse.dir": str(cell.root / "spark"),
        **given,
        **comet_config(cell, given, jars),
        JARS: ",".join([*(str(jar) for jar in jars), *filter(None, more)]),
        **_FIXED_AT_START,
        **catalog,
    }


def start_session(cell: Cell, jars: Iterable[Path]) -> SparkSession:
    """Return the process's Spark session, started (seconds) unless there is one already.

    The caller stops it. A session that somebody else started keeps its own jars and master.

    Raises:
        CatalogNotSupportedError, SparkSettingError, CometNotSupportedError: as `session_config`.
        SparkUnavailableError: it did not start; a master or server that is away is waited for first.
    """
    config = session_config(cell, jars)
    secrets = marked_all(config).values()
    builder = SparkSession.builder
    for key, value in config.items():
        builder = builder.config(key, value)
    try:
        if REMOTE in config and not answers(config[REMOTE]):
            raise _unavailable(cell, "no server answers at its spark.remote")
        start_java(config)
        return builder.getOrCreate()
    except (Py4JError, PySparkException) as error:
        raise _unavailable(cell, scrubbed(first_line(error), secrets)) from error


def start_bare_session() -> SparkSession:
    """Return the process's Spark session, started for small rows in memory unless there is one already.

    It opens no cell, and needs no jars. The caller stops it.

    Raises:
        SparkUnavailableError: it did not start.
    """
    config = {
        **_HERE,
        **_TYPES,
        MASTER: "local[1]",
        "spark.app.name": "headwater",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": "1",
    }
    builder = SparkSession.builder
    for key, value in config.items():
        builder = builder.config(key, value)
    try:
        start_java(config)
        return builder.getOrCreate()
    except (Py4JError, PySparkException) as error:
        raise SparkUnavailableError(
            f"Spark did not start ({first_line(error)}).",
            subject="this machine",
            remedy="`headwater doctor` tells whether its Java can be used.",
        ) from error


def own_session(spark: SparkSession, cell: Cell) -> SparkSession:
    """Return a session of its own (settings, views) on `spark`'s engine that can open the cell."""
    session = clone(spark) if is_remote() else spark.newSession()
    for key, value in catalog_config(cell).items():
        session.conf.set(key, value)
    return session


def _unavailable(cell: Cell, why: str) -> SparkUnavailableError:
    return SparkUnavailableError(
        f"its Spark did not start ({why}).",
        subject=f"cell {cell.name}",
        remedy="Check `spark` in the cell's settings, and what it names, then try again.",
    )


def _fixed(cell: Cell) -> dict[str, str]:
    prefix = f"spark.sql.catalog.{cell.name}"
    return {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.cache-enabled": "false",
        **{f"{prefix}.{key}": value for key, value in s3.for_spark(cell).items()},
        **{f"{prefix}.{key}": value for key, value in _catalog(cell).items()},
        **_TYPES,
    }


def _catalog(cell: Cell) -> dict[str, str]:
    if rest.is_rest(cell):
        return {"catalog-impl": "org.apache.iceberg.rest.RESTCatalog", **rest.for_spark(cell)}
    return {
        "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "warehouse": cell.warehouse,
        "jdbc.schema-version": "V1",
        **_jdbc(cell),
    }


def _jdbc(cell: Cell) -> dict[str, str]:
    url = make_url(cell.catalog_uri)
    backend = url.get_backend_name()
    if backend == "sqlite":
        options = f"busy_timeout={LOCK_WAIT_S * 1000}&journal_mode=WAL"
        return {"uri": f"jdbc:sqlite:{url.database}?{options}"}
    if backend == "postgresql":
        host = f"[{url.host}]" if ":" in str(url.host) else url.host
        port = f":{url.port}" if url.port else ""
        login = {"jdbc.user": url.username, "jdbc.password": url.password}
        # TLS is named alike by libpq and by the driver of Java.
        tls = urlencode({key: value for key, value in url.query.items() if key.startswith("ssl")})
        return {
            "uri": f"jdbc:postgresql://{host}{port}/{quote(str(url.database))}{'?' if tls else ''}{tls}",
            **{key: str(value) for key, value in login.items() if value is not None},
        }
    raise CatalogNotSupportedError(
        f"Spark has no driver here for a catalog in {backend}.",
        subject=f"cell {cell.name}",
        remedy="Use a SQLite or a PostgreSQL catalog.",
    )
